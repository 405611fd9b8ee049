"""The stage evaluates each minute once the counts are level with it, and goes on from what was published."""

import dataclasses
import datetime as dt
import threading
from types import SimpleNamespace

import pytest

from nifos_stream.alert_settings import ThresholdRule
from nifos_stream.alerts.ledger import Past
from nifos_stream.alerts.monitor import Monitor
from nifos_stream.counters.reader import RedisAway
from nifos_stream.counters.shapes import Count, Freshness
from nifos_stream.errors import BrokerUnavailable
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from tests.unit.watch.made_counts import made_post

BEGIN = 1_767_225_600
RULE = ThresholdRule(
    name="mostly", dimensions=("all",), above=0.5, window_minutes=1, min_posts=1, calm_minutes=2
)
LEVEL = Freshness(behind=0, behind_seconds=1.0, backlog=0, counted_since=None, rebuilding=None)


class FakeCounts:
    """Of each minute from BEGIN on, the counts that are given."""

    def __init__(self, minutes):
        self.minutes = minutes
        self.fresh = LEVEL
        self.away = False

    def window(self, *, start, end, **_):
        if self.away:
            raise RedisAway("Redis did not answer.")
        total = Count()
        for minute in range(int(start), int(end), 60):
            total += self.minutes.get((minute - BEGIN) // 60, Count())
        return SimpleNamespace(total=total, groups={})

    def sample(self, **_):
        return SimpleNamespace(posts=(made_post(1),))

    def freshness(self):
        return self.fresh

    def close(self):
        pass


class FakeShelf:
    def __init__(self):
        self.minute = 0.0
        self.shown = {}
        self.away = False

    def now(self):
        return BEGIN + 60 * self.minute + 20

    def keep(self, events, *, these_are_all=False):
        if self.away:
            raise RedisAway("Redis did not answer.")
        if these_are_all:
            self.shown = {}
        self.shown |= {event.id: event for event in events}

    def close(self):
        pass


class FakeLedger:
    def __init__(self, evaluated_to):
        self.mine = True
        self.evaluated_to = evaluated_to
        self.minutes = []
        self.events = []
        self.broken = False

    def my_turn(self, _):
        return self.mine

    def take_over(self):
        latest = {event.id: event for event in self.events}
        return Past(tuple(latest.values()), self.evaluated_to)

    def give_up(self):
        pass

    def publish(self, events, evaluated_to):
        if self.broken:
            raise BrokerUnavailable("Kafka went away.")
        self.minutes.append((evaluated_to - BEGIN) // 60)
        self.events += events
        self.evaluated_to = evaluated_to


class World:
    def __init__(self, states, evaluated=0):
        counts = {"n": Count(1, 0, 0), "p": Count(0, 0, 1), ".": Count()}
        self.counts = FakeCounts({minute: counts[state] for minute, state in enumerate(states)})
        self.shelf = FakeShelf()
        self.ledger = FakeLedger(None if evaluated is None else BEGIN + 60 * evaluated)
        self.monitor = self.worker()

    def worker(self):
        return Monitor(Settings(alerts={"rules": (RULE,)}), Metrics(), counts=self.counts, shelf=self.shelf)

    def rounds(self, minute, count=40, monitor=None):
        self.shelf.minute = minute
        stopped = threading.Event()
        stopped.set()  # So that it waits for nothing.
        for _ in range(count):
            (monitor or self.monitor)._round(self.ledger, stopped)

    @property
    def said(self):
        """(minute of the beginning, of the end) of each event."""
        return [
            (self.minute(event.started_at), event.ended_at and self.minute(event.ended_at))
            for event in self.ledger.events
        ]

    @staticmethod
    def minute(moment):
        return (int(moment.timestamp()) - BEGIN) // 60


def test_every_missed_minute_is_evaluated_once_and_in_order():
    world = World("ppnnpppp")
    world.rounds(8)
    world.rounds(8)
    assert world.ledger.minutes == list(range(1, 9))
    assert world.said == [(3, None), (3, 5)]
    assert [event.ended_at is None for event in world.shelf.shown.values()] == [False]


def test_the_first_worker_of_all_begins_with_the_present():
    world = World("pppp", evaluated=None)
    world.rounds(4)
    assert world.ledger.minutes == [4]


def test_a_minute_is_evaluated_a_little_after_it_ended():
    world = World("pppp")
    world.rounds(4 - 15 / 60)
    assert world.ledger.minutes == [1, 2, 3]


@pytest.mark.parametrize(
    "fresh",
    [{"behind_seconds": 90.0}, {"behind_seconds": None}, {"rebuilding": 0.5}, {"backlog": 1000}],
)
def test_counts_that_are_behind_are_waited_for(fresh):
    world = World("ppnn....")
    world.rounds(3)
    world.counts.fresh = dataclasses.replace(LEVEL, **fresh)
    world.rounds(4)
    assert world.ledger.minutes == [1, 2, 3]
    assert world.monitor.health().ok
    assert "waiting" in world.monitor.health().detail
    world.counts.fresh = LEVEL
    world.rounds(4)
    assert world.ledger.minutes == [1, 2, 3, 4]


def test_posts_of_the_last_moments_are_always_on_their_way():
    world = World("pppppppp")
    # A post a minute: one that is not labelled yet is worth a minute.
    world.counts.fresh = dataclasses.replace(LEVEL, backlog=1)
    world.rounds(8)
    assert world.ledger.minutes == list(range(1, 8))


def test_who_goes_on_ends_what_another_began_and_begins_nothing_twice():
    world = World("ppnnpppp")
    world.rounds(3)
    world.rounds(8, monitor=world.worker())
    assert world.said == [(3, None), (3, 5)]
    begun, ended = world.ledger.events
    assert begun.id == ended.id
    assert ended.evidence == begun.evidence
    assert [post["id"] for post in ended.evidence["posts"]] == ["1"]


def test_calm_that_another_saw_counts():
    world = World("ppnnppp")
    world.rounds(5)
    world.rounds(6, monitor=world.worker())
    assert world.said == [(3, None), (3, 5)]


def test_what_could_not_be_published_is_evaluated_again():
    world = World("ppnnpppp")
    world.rounds(2)
    world.ledger.broken = True
    world.rounds(3, count=3)
    world.ledger.broken = False
    world.rounds(8)
    assert world.ledger.minutes == list(range(1, 9))
    assert world.said == [(3, None), (3, 5)]


def test_redis_away_is_waited_for():
    world = World("ppnn")
    world.counts.away = world.shelf.away = True
    world.rounds(4, count=3)
    assert "Redis" in world.monitor.health().detail
    world.counts.away = False
    world.rounds(4, count=10)
    assert world.ledger.minutes == []
    world.shelf.away = False
    world.rounds(4)
    assert (world.ledger.minutes, len(world.shelf.shown)) == ([1, 2, 3, 4], 1)


def test_readers_see_what_they_missed_once_redis_takes_it_again():
    world = World("ppnnpppp")
    world.rounds(2)
    world.shelf.away = True
    world.rounds(3, count=1)
    assert (world.said, world.shelf.shown) == ([(3, None)], {})
    world.shelf.away = False
    world.rounds(4)
    assert len(world.shelf.shown) == 1


def test_a_worker_that_stands_by_says_nothing():
    world = World("ppnn")
    world.ledger.mine = False
    world.rounds(4)
    assert world.ledger.minutes == []
    assert world.monitor.health().detail == "another worker evaluates"


def test_an_alert_of_a_rule_that_is_gone_ends():
    world = World("ppnnnn")
    world.rounds(4)
    other = Settings(alerts={"rules": (RULE.model_copy(update={"name": "other"}),)})
    world.rounds(5, monitor=Monitor(other, Metrics(), counts=world.counts, shelf=world.shelf))
    assert [(event.rule, event.ended_at is None) for event in world.ledger.events] == [
        ("mostly", True),
        ("mostly", False),
        ("other", True),
    ]


def test_an_event_tells_its_times_in_the_time_zone_of_the_settings():
    world = World("ppnn")
    world.rounds(3)
    assert world.ledger.events[0].started_at.utcoffset() == dt.timedelta(hours=9)
