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


def nothing(_job):
    pass


@pytest.fixture
def lanes():
    made = []

    def make(begin=nothing, finish=nothing, publish=nothing):
        made.append(Lanes(begin=begin, finish=finish, publish=publish))
        return made[-1]

    yield make
    assert all(each.close(5) for each in made)


def test_jobs_are_read_and_published_in_order(lanes):
    done = {"begin": [], "finish": [], "publish": []}
    running = lanes(*(done[name].append for name in done))
    first, second = job(0), job(1)
    running.put(first)
    running.put(second)
    until(lambda: running.in_hand == 0)
    assert list(done.values()) == [[first, second]] * 3
    assert running.free


def test_the_next_forward_pass_begins_before_the_last_one_ends(lanes):
    second_began = threading.Event()
    first, second = job(0), job(1)
    running = lanes(
        begin=lambda each: second_began.set() if each is second else None,
        finish=lambda each: each is second or 1 / second_began.wait(5),
    )
    running.put(first)
    running.put(second)
    until(lambda: running.in_hand == 0)
    assert running.failure is None


def test_the_next_batch_is_published_only_once_it_is_read(lanes):
    go_on = threading.Event()
    published = []
    running = lanes(finish=lambda _job: go_on.wait(5), publish=published.append)
    running.put(job())
    until(lambda: running.accepts)
    assert not published
    go_on.set()
    until(lambda: running.in_hand == 0)
    assert len(published) == 1


def test_a_batch_is_prepared_ahead_and_no_more(lanes):
    go_on = threading.Event()
    running = lanes(finish=lambda _job: go_on.wait(5))
    running.put(job(0))
    assert not running.free
    assert running.accepts
    running.put(job(1))
    assert not running.accepts
    go_on.set()
    until(lambda: running.in_hand == 0)


@pytest.mark.parametrize("place", ["begin", "finish", "publish"])
def test_a_failure_is_there_to_be_raised(lanes, place):
    running = lanes(**{place: lambda _job: 1 / 0})
    running.put(job())
    until(lambda: running.failure is not None)
    assert isinstance(running.failure, ZeroDivisionError)
    assert running.moved.is_set()


def test_a_thread_that_is_still_at_it_is_said():
    go_on = threading.Event()
    begun = threading.Event()
    running = Lanes(begin=lambda _job: begun.set(), finish=lambda _job: go_on.wait(5), publish=nothing)
    running.put(job())
    assert begun.wait(5)
    assert not running.close(0.1)
    go_on.set()
    assert running.close(5)


def test_what_becomes_of_an_abandoned_job_is_no_failure():
    go_on, begun = threading.Event(), threading.Event()
    running = Lanes(
        begin=lambda _job: begun.set(), finish=lambda _job: 1 / (not go_on.wait(5)), publish=nothing
    )
    running.put(job())
    assert begun.wait(5)
    assert not running.close(0.1)
    go_on.set()
    running._threads[1].join(5)
    assert running.failure is None
