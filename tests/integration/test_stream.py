"""The classifying stage on real Kafka, with a model that takes no time."""

import json
import random
import time
from collections import Counter

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from structlog.testing import capture_logs

from nifos_stream import kafka
from nifos_stream.errors import BrokerUnavailable, PoisonStorm, UserError
from nifos_stream.stream import clients
from tests.integration import kafka_tools as tools
from tests.integration.stages import running
from tests.unit.stream.fakes import FakeClassifier


def post(number, text="숲길이 좋아요", **more):
    return json.dumps({"id": str(number), "text": text, **more}, ensure_ascii=False).encode()


def produce(settings, count, start=0, **more):
    """Posts with keys that keep each one's order within its partition."""
    records = [
        tools.New(post(number, **more), key=f"k{number % 50}".encode())
        for number in range(start, start + count)
    ]
    return tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, records)


def events(settings):
    return tools.read_all(settings.kafka.bootstrap_servers, settings.topics.sentiment)


def letters(settings):
    return tools.read_all(settings.kafka.bootstrap_servers, settings.topics.dead_letters)


def ids(records):
    return [json.loads(record.value)["id"] for record in records]


def lag(settings):
    return tools.lag(settings.kafka.bootstrap_servers, settings.stream.group_id, settings.topics.posts)


def assert_each_once_in_order(settings, count):
    found = events(settings)
    assert Counter(ids(found)) == Counter(str(number) for number in range(count))
    origins = [
        (record.partition, event["origin"]["partition"], event["origin"]["offset"])
        for record, event in ((record, json.loads(record.value)) for record in found)
    ]
    assert all(partition == origin for partition, origin, _ in origins)
    assert origins == sorted(origins)


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
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

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


def test_two_workers_share_the_partitions(make_settings):
    settings = make_settings(partitions=4)
    produce(settings, 4000)
    with running(settings) as first, running(settings) as second:
        first.wait_idle()
        second.wait_idle()
        produce(settings, 2000, start=4000)
        tools.wait_until(lambda: lag(settings) == 0)
    assert_each_once_in_order(settings, 6000)
    assert first.value("posts_labelled_total", label="positive") > 0
    assert second.value("posts_labelled_total", label="positive") > 0


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({}, id="range"),
        pytest.param({"partition.assignment.strategy": "cooperative-sticky"}, id="cooperative"),
        pytest.param({"group.protocol": "consumer"}, id="the newer protocol"),
    ],
)
def test_a_worker_that_joins_in_the_middle_doubles_nothing(make_settings, properties):
    """Batches take a while here, so partitions move while some are in hand."""
    settings = make_settings(
        partitions=4, stream={"batch_posts": 100}, kafka={"consumer_properties": properties}
    )
    produce(settings, 6000)
    with running(settings, FakeClassifier(seconds_per_text=0.001)) as first:
        tools.wait_until(lambda: first.value("posts_labelled_total", label="positive") > 500)
        with running(settings, FakeClassifier(seconds_per_text=0.001)) as second:
            tools.wait_until(lambda: second.value("posts_labelled_total", label="positive") > 500)
        tools.wait_until(lambda: lag(settings) == 0)
    assert_each_once_in_order(settings, 6000)


class HurriedConsumer(Consumer):
    """Its partitions go and come back before the broker has answered where the group stands."""

    def subscribe(self, topics, *, on_assign, **more):
        def assigned(consumer, places):
            on_assign(consumer, places)
            for each in (places, [], places):
                consumer.assign(each)

        super().subscribe(topics, on_assign=assigned, **more)


def test_an_open_transaction_does_not_send_a_worker_back_to_the_start(make_settings, monkeypatch):
    """librdkafka then begins with the first record that there is, and all would be labelled twice."""
    settings = make_settings(partitions=1)
    kafka_there = {"bootstrap.servers": settings.kafka.bootstrap_servers}
    produce(settings, 200)
    with running(settings) as worker:
        worker.wait_idle()
    produce(settings, 100, start=200)
    member = Consumer({**kafka_there, "group.id": settings.stream.group_id})
    killed = Producer({**kafka_there, "transactional.id": settings.topics.posts})
    killed.init_transactions()
    killed.begin_transaction()
    killed.send_offsets_to_transaction(
        [TopicPartition(settings.topics.posts, 0, 250)], member.consumer_group_metadata()
    )
    member.close()
    monkeypatch.setattr(clients, "Consumer", HurriedConsumer)
    with capture_logs() as said, running(settings) as worker:
        # A first record has come, and it is not known yet where to begin.
        tools.wait_until(lambda: any(line["event"] == "source.hindered" for line in said), 30)
        killed.abort_transaction()
        worker.wait_idle()
    assert_each_once_in_order(settings, 300)


def test_a_stop_finishes_the_batch_in_hand_and_leaves_the_group(make_settings):
    settings = make_settings(partitions=2, stream={"batch_posts": 200})
    produce(settings, 3000)
    with running(settings, FakeClassifier(seconds_per_text=0.002)) as first:
        tools.wait_until(lambda: first.value("posts_labelled_total", label="positive") > 0)
        assert first.end() < 5
    done = len(events(settings))
    assert 0 < done < 3000
    assert tools.group_members(settings.kafka.bootstrap_servers, settings.stream.group_id) == {}
    with running(settings) as second:
        second.wait_idle()
    assert_each_once_in_order(settings, 3000)


def test_a_stop_does_not_wait_longer_than_the_handover(make_settings):
    settings = make_settings(
        partitions=1, stream={"batch_posts": 100, "batch_seconds": 100, "handover_timeout_seconds": 1}
    )
    produce(settings, 100)
    with running(settings, FakeClassifier(seconds_per_text=0.05)) as worker:
        tools.wait_until(lambda: worker.value("posts_read_total") == 100)
        time.sleep(0.2)
        assert worker.end() < 6
    with running(settings) as second:
        second.wait_idle()
    assert_each_once_in_order(settings, 100)


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


@pytest.mark.parametrize("by_force", [False, True], ids=["in order", "by force"])
def test_a_broker_that_restarts_in_the_middle_doubles_and_loses_nothing(own_stack, make_settings, by_force):
    settings = make_settings(partitions=3, on=own_stack, stream={"batch_posts": 10})
    produce(settings, 4000)
    with running(settings, FakeClassifier(seconds_per_text=0.001)) as worker:
        tools.wait_until(lambda: worker.value("posts_labelled_total", label="positive") > 500)
        own_stack.restart_kafka(by_force=by_force)
        produce(settings, 1000, start=4000)
        worker.wait_idle(timeout_seconds=120)
    assert_each_once_in_order(settings, 5000)
    assert lag(settings) == 0


def test_a_broker_that_stays_away_ends_the_worker(own_stack, make_settings):
    settings = make_settings(
        partitions=1,
        on=own_stack,
        kafka={"retry_timeout_seconds": 4},
        stream={"transaction_timeout_seconds": 3, "handover_timeout_seconds": 2},
    )
    produce(settings, 2000)
    with running(settings, FakeClassifier(seconds_per_text=0.005)) as worker:
        tools.wait_until(lambda: worker.value("posts_labelled_total", label="positive") > 0)
        own_stack.kafka.kill()
        worker.thread.join(40)
        assert not worker.thread.is_alive()
    assert isinstance(worker.failure, BrokerUnavailable)
