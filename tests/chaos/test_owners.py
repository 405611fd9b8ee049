"""One worker dies within a transaction, another sleeps through the loss of its partitions."""

import signal
import time

import pytest

from tests.integration.kafka_tools import New, produce_all, read_all, wait_until
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir

PARTITIONS = 3


@pytest.fixture
def start(make_settings, tmp_path):
    """Starts workers of one group; all of them are killed at the end."""
    model = make_model_dir(tmp_path / "model")
    settings = make_settings(partitions=PARTITIONS)
    started = []

    def begin() -> WorkerProcess:
        started.append(WorkerProcess(settings, model, role="classify"))
        return started[-1]

    begin.settings = settings
    yield begin
    for worker in started:
        worker.exit(signal.SIGKILL)


def produce(settings, first: int, count: int) -> None:
    posts = [
        New(b'{"id": "%d", "text": "a"}' % n, key=b"%d" % n, partition=n % PARTITIONS)
        for n in range(first, first + count)
    ]
    produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, posts)


def labelled(settings) -> list[int]:
    """Numbers of the labelled posts, by partition and in the order in which they were published."""
    records = read_all(settings.kafka.bootstrap_servers, settings.topics.sentiment)
    return [int(record.key) for record in records]


def in_order(count: int) -> list[int]:
    return sorted(range(count), key=lambda n: (n % PARTITIONS, n))


def test_a_worker_killed_within_a_transaction_leaves_nothing_of_it(start):
    settings = start.settings
    posts = 0
    for _ in range(10):
        worker = start()
        wait_until(lambda owner=worker: len(owner.owned) == PARTITIONS, 120, what="it owns the topic")
        begun = worker.at("transaction.begun")
        produce(settings, posts, 300)
        posts += 300
        assert begun.wait(60)
        worker.exit(signal.SIGKILL)
        if worker.in_transaction:
            break
    assert worker.in_transaction, "never between begin and commit"
    start()
    wait_until(lambda: len(labelled(settings)) >= posts, 120, 0.5, what="all are labelled")
    assert labelled(settings) == in_order(posts)


def test_a_worker_that_slept_through_the_loss_of_its_partitions_publishes_nothing_for_them(start):
    settings = start.settings
    sleeper = start()
    wait_until(lambda: len(sleeper.owned) == PARTITIONS, 120, what="it owns the topic")
    produce(settings, 0, 300)
    wait_until(lambda: sleeper.committed > 0, 60)
    begun = sleeper.at("transaction.begun")
    begun.clear()
    produce(settings, 300, 600)
    assert begun.wait(60)
    sleeper.send(signal.SIGSTOP)
    asleep_since = time.monotonic()
    other = start()
    wait_until(lambda: len(other.owned) == PARTITIONS, 120, what="the other owns the topic")
    produce(settings, 900, 300)
    wait_until(lambda: len(labelled(settings)) >= 1200, 120, 0.5, what="the other labels all that is left")
    assert time.monotonic() - asleep_since > 4.0
    committed = sleeper.committed
    sleeper.send(signal.SIGCONT)
    wait_until(lambda: sleeper.saw("partitions.lost") or not sleeper.alive, 60, what="it notices")
    produce(settings, 1200, 300)
    wait_until(lambda: len(labelled(settings)) >= 1500, 120, 0.5)
    assert labelled(settings) == in_order(1500)
    # What it logs as published was committed before it slept, or after partitions were its own again.
    assert sleeper.committed == committed or sleeper.saw("partitions.assigned", 2)
