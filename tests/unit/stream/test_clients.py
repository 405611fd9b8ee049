import pytest

from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from nifos_stream.stream import clients


def settings(kafka=None, **stream):
    return Settings(kafka=kafka or {}, stream=stream)


def test_a_killed_workers_partitions_move_within_seconds():
    properties = clients.consumer_properties(settings())
    assert properties["session.timeout.ms"] <= 15_000
    assert properties["partition.assignment.strategy"] == "range"
    assert properties["isolation.level"] == "read_committed"


@pytest.mark.parametrize("where", ["properties", "consumer_properties"])
def test_a_users_property_wins_over_the_stages_own(where):
    properties = clients.consumer_properties(settings(kafka={where: {"session.timeout.ms": 45_000}}))
    assert properties["session.timeout.ms"] == 45_000
    assert properties["heartbeat.interval.ms"] == 2_000


def test_the_newer_protocol_takes_no_property_of_the_classic_one():
    kafka = {"consumer_properties": {"group.protocol": "consumer"}}
    properties = clients.consumer_properties(settings(kafka=kafka))
    assert "session.timeout.ms" not in properties
    assert "partition.assignment.strategy" not in properties
    clients.open_consumer(settings(kafka=kafka)).close()


def test_messages_may_be_as_large_as_the_topics_take():
    properties = clients.producer_properties(settings(), 2_000_000, 3_000_000)
    assert properties["message.max.bytes"] >= 3_000_000
    assert properties["batch.size"] <= 1_000_000


def test_messages_that_travel_together_fit_into_the_smallest_topic():
    assert clients.producer_properties(settings(), 2_000_000, 3_000)["batch.size"] == 3_000


def test_two_workers_never_share_a_transactional_id():
    first, second = (clients.producer_properties(settings(), 1_000_000) for _ in range(2))
    assert first["transactional.id"] != second["transactional.id"]
    assert first["transactional.id"].startswith("nifos-classify-")
    assert first["transaction.timeout.ms"] == 15_000


def test_at_least_once_asks_for_no_transaction():
    properties = clients.producer_properties(settings(delivery="at_least_once"), 1_000_000)
    assert "transactional.id" not in properties
    assert properties["enable.idempotence"] is True
    assert properties["acks"] == "all"


@pytest.mark.parametrize("largest", [1_000, 1_114_124, 1_000_000_000])
def test_librdkafka_takes_the_properties(largest):
    clients.open_producer(clients.producer_properties(settings(), largest))


def test_a_property_that_is_not_valid_is_said_in_a_sentence():
    wrong = settings(kafka={"producer_properties": {"compression.type": "best"}})
    with pytest.raises(UserError, match="not valid"):
        clients.open_producer(clients.producer_properties(wrong, 1_000_000))
    wrong = settings(kafka={"consumer_properties": {"no.such.property": 1}})
    with pytest.raises(UserError, match="not valid"):
        clients.open_consumer(wrong)
