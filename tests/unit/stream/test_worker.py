"""The stage with every client of Kafka replaced."""

import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from nifos_stream import kafka as kafka_module
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.stream import clients
from nifos_stream.stream.worker import ClassifyStage
from tests.unit.stream.fakes import FakeClassifier, FakeConsumer, FakeMessage, end_of


class FakeAdmin:
    """Every partition begins at 0 and ends at 100."""

    def list_offsets(self, wanted, **_how):
        answers = {}
        for place in wanted:
            answers[place] = Future()
            answers[place].set_result(SimpleNamespace(offset=0))
        return answers


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)


class World:
    def __init__(self, kafka, **stream):
        self.kafka = kafka
        self.consumer = FakeConsumer()
        self.classifier = FakeClassifier()
        self.metrics = Metrics()
        self.settings = Settings(stream={"handover_timeout_seconds": 2, **stream})
        self.observed = []
        self.stage = ClassifyStage(
            self.settings,
            self.classifier,
            self.metrics,
            observe=lambda job, partitions: self.observed.append((len(job.readings), set(partitions))),
        )
        self.stop = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.stage.run(self.stop)
        except Exception as failure:  # noqa: BLE001 - a test looks at it
            self.failure = failure

    def end(self):
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def world(kafka, monkeypatch):
    worlds = []

    def make(**stream):
        made = World(kafka, **stream)
        names = made.settings.topics
        facts = {
            name: kafka_module.TopicFacts(name, "id", 2, 1_114_124)
            for name in (names.posts, names.sentiment, names.dead_letters)
        }
        monkeypatch.setattr(clients, "connect", lambda _settings: (FakeAdmin(), facts))
        monkeypatch.setattr(clients, "open_consumer", lambda _settings: made.consumer)
        monkeypatch.setattr(clients, "open_producer", lambda _properties: kafka.producer())
        worlds.append(made)
        return made

    yield make
    for each in worlds:
        each.end()


def test_posts_are_read_labelled_and_published(world, kafka):
    running = world()
    running.consumer.events.extend([running.consumer.assign(0, 1), FakeMessage(0, 0), FakeMessage(5, 1)])
    running.thread.start()
    until(lambda: kafka.offsets == {0: 1, 1: 6})
    assert sorted(partition for _, partition, _ in kafka.messages) == [0, 1]
    assert running.classifier.stats.texts == 2
    running.end()
    assert running.observed == [(2, {0, 1})], "whoever looks on is told once it is published"
    assert running.consumer.closed
    assert running.failure is None


def test_a_batch_without_posts_needs_no_forward_pass(world, kafka):
    running = world()
    running.consumer.events.extend([running.consumer.assign(0), FakeMessage(0, value=b"{")])
    running.thread.start()
    until(lambda: kafka.offsets == {0: 1})
    assert running.classifier.seen == []
    assert [topic for topic, _, _ in kafka.messages] == [running.settings.topics.dead_letters]


def test_a_stage_becomes_idle_at_the_end_of_its_partitions(world, kafka):
    running = world()
    assert running.stage.idle_seconds() == 0
    assert not running.stage.health().ready
    running.consumer.events.extend([running.consumer.assign(0), FakeMessage(0), end_of(2)])
    running.thread.start()
    until(lambda: running.stage.idle_seconds() > 0)
    assert kafka.offsets == {0: 2}, "the marker after the last post counts as read"
    assert running.stage.health().ready


def test_a_quiet_partition_reaches_its_end_while_another_is_busy(world, kafka):
    """A worker that always has something in hand is never idle, and lag must reach 0 all the same."""
    running = world()
    quiet_and_busy = [running.consumer.assign(0, 1), end_of(7, 1), FakeMessage(0, 0)]
    running.consumer.events.extend(quiet_and_busy)
    running.thread.start()
    until(lambda: kafka.offsets == {0: 1, 1: 7})
    committed = running.metrics.batches.labels("committed")._value
    until(lambda: committed.get() > 0)
    assert committed.get() == 1


def test_batches_gather_while_the_model_is_busy(world, kafka):
    running = world()
    go_on = threading.Event()
    finish = running.classifier.finish

    def wait_and_finish(begun):
        go_on.wait(5)
        return finish(begun)

    running.classifier.finish = wait_and_finish
    running.consumer.events.extend([running.consumer.assign(0), FakeMessage(0)])
    running.thread.start()
    until(lambda: running.metrics.registry.get_sample_value("nifos_posts_read_total") == 1)
    for offset in range(1, 6):
        running.consumer.events.append(FakeMessage(offset))
        time.sleep(0.02)
    go_on.set()
    until(lambda: kafka.offsets == {0: 6})
    assert running.classifier.seen == [1, 5]


def test_a_model_that_is_too_slow_pauses_the_reading(world, kafka):
    running = world(batch_posts=2)
    go_on = threading.Event()
    finish = running.classifier.finish

    def wait_and_finish(begun):
        go_on.wait(10)
        return finish(begun)

    running.classifier.finish = wait_and_finish
    messages = [FakeMessage(offset) for offset in range(6)]
    running.consumer.events.extend([running.consumer.assign(0), *messages])
    running.thread.start()
    until(lambda: running.consumer.paused == {0})
    go_on.set()
    until(lambda: kafka.offsets == {0: 6})
    until(lambda: running.consumer.paused == set())


def test_partitions_that_go_take_their_rows_with_them(world, kafka):
    """A batch that was read but not yet published is dropped; its posts are their next owner's."""
    running = world()
    go_on, entered = threading.Event(), threading.Event()
    finish = running.classifier.finish

    def wait_and_finish(begun):
        entered.set()
        go_on.wait(5)
        return finish(begun)

    running.classifier.finish = wait_and_finish
    consumer = running.consumer
    consumer.events.extend([consumer.assign(0, 1), FakeMessage(0, 0), FakeMessage(0, 1)])
    running.thread.start()
    assert entered.wait(5)
    consumer.events.extend([consumer.revoke(0), FakeMessage(1, 1)])
    until(lambda: running.metrics.registry.get_sample_value("nifos_posts_read_total") == 3)
    go_on.set()
    until(lambda: kafka.offsets == {1: 2})
    assert {partition for _, partition, _ in kafka.messages} == {1}
    until(lambda: running.observed)
    assert all(0 not in partitions for _, partitions in running.observed)


def test_a_stop_publishes_the_batch_in_hand(world, kafka):
    running = world()
    entered = threading.Event()
    finish = running.classifier.finish

    def slow_finish(begun):
        entered.set()
        time.sleep(0.3)
        return finish(begun)

    running.classifier.finish = slow_finish
    running.consumer.events.extend([running.consumer.assign(0), FakeMessage(0)])
    running.thread.start()
    assert entered.wait(5)
    running.end()
    assert kafka.offsets == {0: 1}


def test_a_model_that_crashes_ends_the_worker(world, kafka):
    running = world()
    running.classifier.finish = lambda _prepared: 1 / 0
    running.consumer.events.extend([running.consumer.assign(0), FakeMessage(0)])
    running.thread.start()
    running.thread.join(10)
    assert isinstance(running.failure, ZeroDivisionError)
    assert running.consumer.closed
    assert kafka.messages == []


def test_what_is_wrong_is_said_before_anything_is_read(world, monkeypatch):
    running = world()

    def missing(_settings):
        raise UserError("Topic nifos.posts does not exist.")

    monkeypatch.setattr(clients, "connect", missing)
    running.thread.start()
    running.thread.join(10)
    assert isinstance(running.failure, UserError)


def test_a_broker_that_goes_away_ends_the_worker(world, monkeypatch):
    running = world()
    monkeypatch.setattr("nifos_stream.stream.ends.Ends.silent_seconds", 1000.0)
    running.thread.start()
    running.thread.join(10)
    assert isinstance(running.failure, BrokerUnavailable)
