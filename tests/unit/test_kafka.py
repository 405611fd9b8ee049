"""An error of a transaction names the next action, and clients keep the promises whatever else is set."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException

from nifos_stream import kafka
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.kafka import NextStep, TopicFacts, next_step
from nifos_stream.settings import KafkaSettings, Settings


def test_a_timeout_means_a_new_producer_though_it_calls_itself_retriable():
    error = KafkaError(KafkaError._TIMED_OUT, "commit timed out", retriable=True)
    assert next_step(error) is NextStep.RESTART_PRODUCER


def test_a_retriable_error_means_the_same_call_again():
    assert (
        next_step(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE, "", retriable=True)) is NextStep.RETRY_CALL
    )


def test_an_abortable_error_means_reading_the_batch_again():
    error = KafkaError(KafkaError.ILLEGAL_GENERATION, "", txn_requires_abort=True)
    assert next_step(error) is NextStep.REREAD_BATCH


@pytest.mark.parametrize("fatal", [True, False])
def test_a_fatal_or_unclassified_error_means_a_new_producer(fatal):
    assert next_step(KafkaError(KafkaError._FENCED, "", fatal=fatal)) is NextStep.RESTART_PRODUCER


def test_a_consumer_reads_committed_records_and_commits_nothing_by_itself():
    config = kafka.consumer_config(KafkaSettings(consumer_properties={"fetch.min.bytes": 5}), "group")
    assert config["isolation.level"] == "read_committed"
    assert config["enable.auto.commit"] is False
    assert config["fetch.min.bytes"] == 5


def test_a_user_name_turns_on_sasl_over_tls_unless_another_protocol_is_set():
    assert kafka.client_config(KafkaSettings(username="u"))["security.protocol"] == "SASL_SSL"
    plain = KafkaSettings(username="u", properties={"security.protocol": "SASL_PLAINTEXT"})
    assert kafka.client_config(plain)["security.protocol"] == "SASL_PLAINTEXT"


def test_a_property_that_librdkafka_does_not_know_is_one_sentence():
    with pytest.raises(UserError, match=r"not valid.*no\.such\.property"):
        kafka.connect(KafkaSettings(properties={"no.such.property": 1}))


def test_a_host_that_cannot_be_resolved_is_said_at_once():
    with pytest.raises(UserError, match="cannot be resolved"):
        kafka.connect(
            KafkaSettings(bootstrap_servers="no-such-host.invalid:9092", startup_timeout_seconds=10)
        )


def test_a_broker_that_does_not_answer_is_waited_for_and_then_named():
    with pytest.raises(UserError, match=r"No Kafka broker answered at 127\.0\.0\.1:9 within 0\.5 s"):
        kafka.connect(KafkaSettings(bootstrap_servers="127.0.0.1:9", startup_timeout_seconds=0.5))


def test_why_no_broker_answered_is_said_where_it_is_known():
    with pytest.raises(UserError, match=r"BOOTSTRAP_SERVERS\): Connect to \S+ failed: Connection refused\.$"):
        kafka.connect(KafkaSettings(bootstrap_servers="127.0.0.1:9", startup_timeout_seconds=0.5))


def test_a_topic_that_is_missing_or_has_too_little_room_is_named():
    facts = {
        "nifos.posts": TopicFacts("nifos.posts", "a", 9, 1_000_000),
        "nifos.sentiment": TopicFacts("nifos.sentiment", "b", 9, 1_000_000),
    }
    missing, tight = kafka.missing_or_tight(facts, Settings())
    assert missing.startswith("Topic nifos.dead-letters does not exist")
    assert "needs it to take 1065536" in tight


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, UserError),
        (KafkaError.CLUSTER_AUTHORIZATION_FAILED, UserError),
        (KafkaError._TIMED_OUT, BrokerUnavailable),
    ],
)
@pytest.mark.parametrize("call", ["describe_topics", "describe_configs"])
def test_a_topic_that_this_user_may_not_describe_is_for_a_person_to_mend(code, raised, call):
    with pytest.raises(raised, match="describe the topics"):
        kafka.topic_facts(FailingAdmin(call, code), ["nifos.posts"])


class FailingAdmin:
    """Describes everything, but for one call that fails with `code`."""

    def __init__(self, call, code):
        self._call, self._code = call, code

    def describe_topics(self, *_, **__):
        return {"nifos.posts": self._answer("describe_topics", SimpleNamespace(topic_id="a", partitions=[]))}

    def describe_configs(self, resources, **_):
        return {resources[0]: self._answer("describe_configs", {})}

    def _answer(self, call, good):
        answer = Future()
        if call == self._call:
            answer.set_exception(KafkaException(KafkaError(self._code)))
        else:
            answer.set_result(good)
        return answer
