"""What many ask for is read once for all of them, and its failure is told to all of them at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nifos_stream.counters.reader import RedisAway
from nifos_stream.watch.feed import Feed
from nifos_stream.watch.shared import Shared
from tests.unit.watch.made_counts import MadeCounts


class Reading:
    def __init__(self):
        self.times = 0
        self.away = False
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def __call__(self):
        self.times += 1
        self.begun.set()
        assert self.go_on.wait(10)
        if self.away:
            raise RedisAway("Redis did not answer.")
        return self.times


def test_a_value_is_read_again_when_it_is_old():
    clock, reading = [0.0], Reading()
    shared = Shared(reading, now=lambda: clock[0])
    assert [shared.get(), shared.get()] == [1, 1]
    clock[0] = 1.0
    assert shared.get() == 2


def test_all_who_wait_have_the_error_of_the_one_who_tried():
    """Eight readers and a Redis that is away: one time-out in all, not one after the other."""
    reading = Reading()
    reading.away = True
    reading.go_on.clear()
    shared = Shared(reading)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(shared.get) for _ in range(8)]
        assert reading.begun.wait(10)
        reading.go_on.set()
        errors = [each.exception(10) for each in asked]
    assert {str(error) for error in errors} == {"Redis did not answer."}
    assert len(set(map(id, errors))) == 8
    assert reading.times == 1


def test_an_error_is_forgotten_with_time():
    clock, reading = [0.0], Reading()
    shared = Shared(reading, now=lambda: clock[0])
    reading.away = True
    for _ in range(2):
        with pytest.raises(RedisAway):
            shared.get()
    assert reading.times == 1
    reading.away = False
    clock[0] = 1.0
    assert shared.get() == 2


def test_readers_of_posts_are_released_by_a_refresh_that_fails():
    class Slow(MadeCounts):
        def latest(self, *wanted, **limit):
            time.sleep(0.2)
            return super().latest(*wanted, **limit)

    counts = Slow()
    counts.raises = RedisAway("Redis did not answer.")
    feed = Feed(counts)
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(feed.latest, None, 5) for _ in range(8)]
        assert all(isinstance(each.exception(10), RedisAway) for each in asked)
    assert time.monotonic() - begun < 1.0
    assert counts.posts_read == 1
