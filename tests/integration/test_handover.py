"""The classifying stage on real Kafka while partitions move, workers stop, and the broker goes away."""

import threading
from dataclasses import dataclass, field

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from structlog.testing import capture_logs

from nifos_stream.errors import BrokerUnavailable
from nifos_stream.stream import clients
from tests.integration import kafka_tools as tools
from tests.integration.stages import running
from tests.integration.streamed import assert_each_once_in_order, events, lag, produce
from tests.unit.stream.fakes import FakeClassifier


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


class HastyConsumer(Consumer):
    """Begins with the first record there is, as librdkafka may before the broker has said where to."""

    def subscribe(self, topics, *, on_assign, **more):
        def assigned(consumer, places):
            on_assign(consumer, places)
            consumer.assign([TopicPartition(each.topic, each.partition, OFFSET_BEGINNING) for each in places])

        super().subscribe(topics, on_assign=assigned, **more)


def test_an_open_transaction_does_not_send_a_worker_back_to_the_start(make_settings, monkeypatch):
    """Or all would be labelled twice."""
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
    monkeypatch.setattr(clients, "Consumer", HastyConsumer)
    with capture_logs() as said, running(settings) as worker:
        # A first record has come, and the broker does not say yet where to begin.
        tools.wait_until(lambda: any(line["event"] == "partition.delayed" for line in said), 30)
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


@dataclass
class SlowClassifier(FakeClassifier):
    begun: threading.Event = field(default_factory=threading.Event)
    abandoned: bool = False

    def begin(self, prepared):
        self.begun.set()
        return super().begin(prepared)

    def abandon(self):
        self.abandoned = True


def test_a_stop_does_not_wait_longer_than_the_handover(make_settings):
    settings = make_settings(
        partitions=1, stream={"batch_posts": 100, "batch_seconds": 100, "handover_timeout_seconds": 1}
    )
    produce(settings, 100)
    classifier = SlowClassifier(seconds_per_text=0.05)
    with running(settings, classifier) as worker:
        assert classifier.begun.wait(60)
        assert worker.end() < 6
    assert classifier.abandoned
    with running(settings) as second:
        second.wait_idle()
    assert_each_once_in_order(settings, 100)


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
