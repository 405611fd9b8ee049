import threading
import time

import pytest

from nifos_stream.stream.lanes import Job, Lanes
from tests.unit.stream.fakes import batch, row


def job(offset=0):
    return Job(batch(row(offset)), prepared=["text"])


def until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def lanes():
    made = []

    def make(forward=lambda _job: None, publish=lambda _job: None):
        made.append(Lanes(forward=forward, publish=publish))
        return made[-1]

    yield make
    assert all(each.close(5) for each in made)


def test_jobs_are_read_and_published_in_order(lanes):
    done = []
    running = lanes(lambda job: done.append(("read", job)), lambda job: done.append(("published", job)))
    first, second = job(0), job(1)
    running.put(first)
    running.put(second)
    until(lambda: running.in_hand == 0)
    assert [each for each in done if each[0] == "read"] == [("read", first), ("read", second)]
    assert [each for each in done if each[0] == "published"] == [("published", first), ("published", second)]
    assert running.free


def test_the_next_forward_pass_runs_while_the_last_batch_is_published(lanes):
    meeting = threading.Barrier(2, timeout=5)
    seen = []

    def forward(each):
        seen.append(each)
        if len(seen) == 2:
            meeting.wait()

    running = lanes(forward, lambda each: meeting.wait() if each is seen[0] else None)
    running.put(job(0))
    running.put(job(1))
    until(lambda: running.in_hand == 0)


def test_a_batch_is_prepared_ahead_and_no_more(lanes):
    go_on = threading.Event()
    running = lanes(forward=lambda _job: go_on.wait(5))
    running.put(job(0))
    until(lambda: running.accepts)
    assert not running.free
    running.put(job(1))
    assert not running.accepts
    go_on.set()
    until(lambda: running.in_hand == 0)


def test_a_failure_is_there_to_be_raised(lanes):
    running = lanes(publish=lambda _job: 1 / 0)
    running.put(job())
    until(lambda: running.failure is not None)
    assert isinstance(running.failure, ZeroDivisionError)
    assert running.moved.is_set()


def test_a_thread_that_is_still_at_it_is_said():
    go_on = threading.Event()
    running = Lanes(forward=lambda _job: go_on.wait(5), publish=lambda _job: None)
    running.put(job())
    until(lambda: running.accepts)
    assert not running.close(0.01)
    go_on.set()
    assert running.close(5)
