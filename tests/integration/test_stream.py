"""The classifying stage on real Kafka, with a model that takes no time."""

import random
import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from nifos_stream import kafka
from nifos_stream.errors import PoisonStorm, UserError
from tests.integration import kafka_tools as tools
from tests.integration.stages import running
from tests.integration.streamed import assert_each_once_in_order, events, ids, lag, letters, post, produce
from tests.unit.stream.fakes import FakeClassifier


def test_every_post_is_labelled_once_in_order(make_settings):
    settings = make_settings(partitions=3)
    produce(settings, 3000)
    with running(settings) as worker:
        worker.wait_idle()
    assert_each_once_in_order(settings, 3000)
    assert lag(settings) == 0
    assert worker.value("posts_labelled_total", label="positive") == 3000


def test_key_headers_and_partition_are_kept(make_settings):
    settings = make_settings(partitions=3)
    headers = (("traceparent", b"00-1-2-03"), ("twice", b"1"), ("twice", b"2"))
    for partition in range(3):
        record = tools.New(post(partition), key=b"", headers=headers, partition=partition)
        tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, [record])
    tools.produce_all(
        settings.kafka.bootstrap_servers, settings.topics.posts, [tools.New(post(3), key=None, partition=0)]
    )
    with running(settings) as worker:
        worker.wait_idle()
    found = events(settings)
    assert [(record.partition, record.key) for record in found] == [(0, b""), (0, None), (1, b""), (2, b"")]
    assert [record.headers for record in found] == [headers, (), headers, headers]


def test_a_bad_message_becomes_a_dead_letter_and_the_batch_goes_on(make_settings):
    settings = make_settings(partitions=1)
    bad = [b"\xff\xfe", b"{", b"[]", b'{"id": "x"}', None, post(7, text="NaN")]
    records = [tools.New(value, key=b"k", headers=(("h", b"1"),)) for value in [post(0), *bad, post(1)]]
    tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, records)
    with running(settings) as worker:
        worker.wait_idle()
        assert not worker.stage.health().ok, "a model that gives no number turns health red"
    assert ids(events(settings)) == ["0", "1"]
    found = letters(settings)
    assert [record.value for record in found] == bad
    assert {record.key for record in found} == {b"k"}
    assert [dict(record.headers)["nifos.reason"] for record in found] == [
        b"not_utf8",
        b"not_json",
        b"not_an_object",
        b"invalid_post",
        b"no_value",
        b"model_nan",
    ]
    assert lag(settings) == 0


def test_a_batch_of_nothing_but_bad_messages_needs_no_forward_pass(make_settings):
    settings = make_settings(partitions=1)
    tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, [b"{"] * 50)
    classifier = FakeClassifier()
    with running(settings, classifier) as worker:
        worker.wait_idle()
    assert classifier.seen == []
    assert len(letters(settings)) == 50


def test_an_event_that_its_topic_does_not_take_becomes_a_dead_letter(make_settings):
    """Its topic has room for 64 KiB more than the input, so only a tightened topic refuses it."""
    settings = make_settings(partitions=1, topics={"max_message_bytes": 200_000})
    noise = "".join(random.Random(1).choices([chr(code) for code in range(0xAC00, 0xD7A4)], k=60_000))
    with running(settings) as worker:
        worker.wait_idle()
        tighten(settings, settings.topics.sentiment, 100_000)
        values = [post(0), post(1, text=noise), post(2)]
        tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, values)
        worker.wait_idle()
    assert ids(events(settings)) == ["0", "2"]
    (letter,) = letters(settings)
    assert letter.value == values[1]
    assert dict(letter.headers)["nifos.reason"] == b"event_too_large"
    assert lag(settings) == 0


def tighten(settings, topic, size):
    admin = kafka.connect(settings.kafka)
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()


def test_markers_after_the_last_post_count_as_read(make_settings):
    """Posts produced in a transaction leave a marker; the group's lag reaches 0 all the same."""
    settings = make_settings(partitions=2)
    producer = Producer(
        {"bootstrap.servers": settings.kafka.bootstrap_servers, "transactional.id": settings.topics.posts}
    )
    producer.init_transactions()
    with running(settings) as worker:
        for number in range(3):
            producer.begin_transaction()
            producer.produce(settings.topics.posts, post(number), partition=number % 2)
            producer.commit_transaction()
            worker.wait_idle(0.3)
            assert lag(settings) == 0
    assert sorted(ids(events(settings))) == ["0", "1", "2"]


def test_an_empty_topic_is_idle_and_without_lag(make_settings):
    settings = make_settings(partitions=2)
    with running(settings) as worker:
        worker.wait_idle()
    assert tools.committed_offsets(
        settings.kafka.bootstrap_servers, settings.stream.group_id, settings.topics.posts
    ) == {0: 0, 1: 0}


def test_at_least_once_needs_no_transactions(make_settings):
    settings = make_settings(partitions=3, stream={"delivery": "at_least_once"})
    produce(settings, 3000)
    tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, [b"{"])
    with running(settings) as worker:
        worker.wait_idle()
    assert_each_once_in_order(settings, 3000)
    assert len(letters(settings)) == 1
    assert lag(settings) == 0
    ends = tools.end_offsets(settings.kafka.bootstrap_servers, settings.topics.sentiment)
    assert sum(ends.values()) == 3000, "no markers"


def test_posts_deleted_before_they_were_read_are_counted_as_lost(make_settings):
    settings = make_settings(partitions=1)
    produce(settings, 100)
    with running(settings) as worker:
        worker.wait_idle()
    produce(settings, 100, start=100)
    tools.trim(settings.kafka.bootstrap_servers, settings.topics.posts, {0: 150})
    with running(settings) as worker:
        worker.wait_idle()
        tools.wait_until(lambda: worker.value("posts_lost_total") == 50, timeout_seconds=5)
        assert not worker.stage.health().ok
    assert ids(events(settings)) == [str(number) for number in [*range(100), *range(150, 200)]]
    assert lag(settings) == 0


def test_a_group_that_begins_on_a_trimmed_topic_has_lost_nothing(make_settings):
    settings = make_settings(partitions=1)
    produce(settings, 100)
    tools.trim(settings.kafka.bootstrap_servers, settings.topics.posts, {0: 50})
    with running(settings) as worker:
        worker.wait_idle(2.5)
        assert worker.value("posts_lost_total") == 0
        assert worker.stage.health().ok
    assert len(events(settings)) == 50


def test_a_storm_of_bad_messages_stops_the_reading(make_settings):
    settings = make_settings(partitions=2, stream={"poison_window": 200, "batch_posts": 50})
    tools.produce_all(
        settings.kafka.bootstrap_servers,
        settings.topics.posts,
        [tools.New(b"{", partition=number % 2) for number in range(3000)],
    )
    with running(settings) as worker:
        tools.wait_until(lambda: not worker.stage.health().ok)
        assert "--accept-bad" in worker.stage.health().detail
        time.sleep(1)
        moved = len(letters(settings))
        assert 200 <= moved < 600
        assert len(tools.group_members(settings.kafka.bootstrap_servers, settings.stream.group_id)) == 1
        assert worker.stage.idle_seconds() == 0
    assert lag(settings) >= 3000 - moved
    accepting = settings.model_copy(
        update={"stream": settings.stream.model_copy(update={"accept_bad": True})}
    )
    with running(accepting) as worker:
        worker.wait_idle()
    assert len(letters(settings)) == 3000


def test_a_storm_ends_a_worker_that_was_to_end_when_idle(make_settings):
    settings = make_settings(partitions=1, stream={"poison_window": 200, "batch_posts": 50})
    tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, [b"{"] * 1000)
    with running(settings, until_idle=True) as worker:
        tools.wait_until(lambda: worker.failure is not None)
        assert isinstance(worker.failure, PoisonStorm)
        worker.thread.join(10)


def test_a_missing_topic_is_said_before_anything_is_read(make_settings):
    settings = make_settings(partitions=1)
    tools.delete_topic(settings.kafka.bootstrap_servers, settings.topics.sentiment)
    with running(settings) as worker:
        worker.thread.join(30)
    with pytest.raises(UserError, match="does not exist"):
        raise worker.failure
