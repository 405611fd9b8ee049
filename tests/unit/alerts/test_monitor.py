"""The stage evaluates each minute once the counts are level with it, and goes on from what was published."""

import dataclasses
import datetime as dt
import threading
from types import SimpleNamespace

import pytest

from nifos_stream.alerts.ledger import Mark, Past
from nifos_stream.alerts.monitor import Monitor
from nifos_stream.alerts.shelf import Answer, Version
from nifos_stream.counters.reader import RedisAway
from nifos_stream.counters.shapes import Count, Freshness
from nifos_stream.errors import BrokerUnavailable, NifosError, Stopped, UserError
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import ThresholdRule
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
        self.kept_from = None

    def window(self, *, start, end, grain, **_):
        if self.away:
            raise RedisAway("Redis did not answer.")
        if self.kept_from is not None and start < self.kept_from:
            raise UserError(f"Counts by {grain} are not kept so far back.")
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
    """Keeps as keep.lua does. broken: of the next calls, whether each is carried out though it fails."""

    def __init__(self):
        self.minute = 0.0
        self.away = False
        self.broken = []
        self.empty()

    def empty(self):
        self.shown, self.there, self.calls = {}, None, 0

    def now(self):
        return BEGIN + 60 * self.minute + 20

    def version(self):
        if self.away:
            raise RedisAway("Redis did not answer.")
        return self.there

    def keep(self, events, version, *, these_are_all=False):
        if self.away:
            raise RedisAway("Redis did not answer.")
        if self.broken and not self.broken[0]:
            self.broken.pop(0)
            raise RedisAway("Redis did not answer.")
        self.calls += 1
        there = self.there or Version(0, 0)
        if there.epoch > version.epoch:
            return Answer.NEWER
        if not these_are_all and there != (version.epoch, version.edition - 1):
            return Answer.OTHER
        self.shown = ({} if these_are_all else self.shown) | {event.id: event for event in events}
        self.there = version
        if self.broken:
            self.broken.pop(0)
            raise RedisAway("Redis did not answer.")
        return Answer.KEPT

    def close(self):
        pass


class FakeLedger:
    def __init__(self, evaluated_to):
        self.mine = True
        self.mark = Mark(evaluated_to)
        self.minutes = []
        self.events = []
        self.broken = False
        self.asked = 0

    def my_turn(self, _):
        self.asked += 1
        return self.mine

    def take_over(self, above_epoch, _stopped):
        if self.broken:
            raise BrokerUnavailable("Kafka went away.")
        latest = {event.id: event for event in self.events}
        self.mark = dataclasses.replace(self.mark, epoch=max(self.mark.epoch, above_epoch) + 1)
        return Past(tuple(latest.values()), self.mark)

    def give_up(self):
        pass

    def publish(self, events, mark):
        if self.broken:
            raise BrokerUnavailable("Kafka went away.")
        self.minutes.append((mark.evaluated_to - BEGIN) // 60)
        self.events += events
        self.mark = mark


class World:
    def __init__(self, states, evaluated=0, **settings):
        self.settings = Settings(**({"alerts": {"rules": (RULE,)}} | settings))
        self.clock = 0.0
        counts = {"n": Count(1, 0, 0), "p": Count(0, 0, 1), ".": Count()}
        self.counts = FakeCounts({minute: counts[state] for minute, state in enumerate(states)})
        self.shelf = FakeShelf()
        self.ledger = FakeLedger(None if evaluated is None else BEGIN + 60 * evaluated)
        self.monitor = self.worker()

    def worker(self, words=None):
        self.metrics = Metrics()
        return Monitor(
            self.settings,
            self.metrics,
            words=words,
            counts=self.counts,
            shelf=self.shelf,
            now=lambda: self.clock,
        )

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


class FakeWords:
    """Counts how often it is opened, and whether it is closed."""

    def __init__(self, broken=False):
        self.broken = broken
        self.opened = 0
        self.open = 0

    def __call__(self):
        self.opened += 1
        self.open += 1
        return self

    def find(self, alert):
        assert self.open == 1
        if self.broken:
            raise NifosError("The process ended.")
        return {"posts": 1, "words": [{"word": alert.metric}]}

    def close(self):
        self.open -= 1


def test_the_words_of_the_beginning_are_in_both_events_and_are_looked_for_once():
    words = FakeWords()
    world = World("ppnnpppp")
    world.rounds(8, monitor=world.worker(words))
    began, ended = world.ledger.events
    assert began.evidence["drivers"] == ended.evidence["drivers"]
    assert began.evidence["drivers"]["words"] == [{"word": "negative_share"}]
    assert (words.opened, words.open) == (1, 0)


def test_what_finds_words_is_open_while_minutes_are_caught_up_with_and_no_longer():
    words = FakeWords()
    world = World("ppnnppppnnpppp")
    monitor = world.worker(words)
    world.rounds(13, count=8, monitor=monitor)
    assert world.ledger.minutes[-1] < 13
    assert (words.opened, words.open) == (1, 1)
    world.rounds(13, monitor=monitor)
    assert world.said == [(3, None), (3, 5), (9, None), (9, 11)]
    assert (words.opened, words.open) == (1, 0)
    world.ledger.mine = False
    world.rounds(13, monitor=monitor)
    assert words.open == 0


def test_an_alert_is_told_without_words_where_they_cannot_be_had():
    words = FakeWords(broken=True)
    world = World("ppnnpppp")
    world.rounds(8, monitor=world.worker(words))
    assert world.said == [(3, None), (3, 5)]
    assert all("drivers" not in event.evidence for event in world.ledger.events)
    assert words.open == 0


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


@pytest.mark.parametrize("carried_out", [True, False])
def test_readers_see_what_they_missed_once_redis_takes_it_again(carried_out):
    world = World("ppnnpppp")
    world.rounds(2)
    world.shelf.broken = [carried_out]
    world.rounds(3, count=1)
    assert (world.said, len(world.shelf.shown)) == ([(3, None)], int(carried_out))
    world.rounds(4)
    assert len(world.shelf.shown) == 1


def test_an_emptied_redis_is_filled_again_within_a_round():
    world = World("ppnnpppp")
    world.rounds(4)
    world.shelf.empty()
    world.rounds(4, count=1)
    assert [event.ended_at for event in world.shelf.shown.values()] == [None]
    calls = world.shelf.calls
    world.rounds(4)
    assert world.shelf.calls == calls


def test_a_redis_that_came_back_older_is_mended():
    world = World("ppnnpppp")
    world.rounds(2)
    before = (dict(world.shelf.shown), world.shelf.there)
    world.rounds(3)
    world.shelf.shown, world.shelf.there = before
    world.rounds(3, count=1)
    assert len(world.shelf.shown) == 1


def test_who_was_overtaken_writes_nothing_and_begins_a_turn_of_its_own_if_it_has_one():
    world = World("ppnnpppp")
    world.rounds(2)
    other = world.worker()
    world.rounds(3, monitor=other)
    shown = dict(world.shelf.shown)
    world.ledger.mark = Mark(BEGIN + 120, 1)
    world.rounds(3, count=1)
    assert (world.shelf.shown, world.shelf.there.epoch) == (shown, 2)
    world.rounds(3, count=1)
    assert world.shelf.there.epoch == 3


def test_only_who_evaluates_says_how_many_alerts_are_open():
    """So that a sum over the workers is the number, whoever evaluated before."""

    def said(metrics):
        samples = [s for family in metrics.registry.collect() for s in family.samples]
        return {s.labels["rule"]: s.value for s in samples if s.name == "nifos_alerts_open"}

    world = World("ppnnpppp")
    assert said(world.metrics) == {}
    world.rounds(2)
    assert said(world.metrics) == {"mostly": 0}
    world.rounds(3)
    first = world.metrics
    assert said(first) == {"mostly": 1}
    other = world.worker()
    world.rounds(4, monitor=other)
    assert said(world.metrics) == {"mostly": 1}
    world.ledger.mine = False
    world.rounds(4)
    assert said(first) == {}
    world.ledger.mine, world.ledger.broken = True, True
    world.rounds(5, count=1, monitor=other)
    assert said(world.metrics) == {}


def test_an_alert_that_was_open_over_a_long_outage_ends_by_what_can_be_known():
    """Three days without a worker, of which the counts by minute keep two: when it was calm is not known."""
    days = 3 * 1440
    world = World("ppnn" + "p" * days)
    world.rounds(4)
    world.counts.kept_from = BEGIN + 60 * (days - 49 * 60)
    world.rounds(days, count=3000, monitor=world.worker())
    # One day of it is evaluated.
    first = days - 1440
    assert world.ledger.minutes == [1, 2, 3, 4, *range(first, days + 1)]
    assert world.said == [(3, None), (3, first)]
    (ended,) = world.ledger.events[1:]
    gap = ended.evidence["left_out"]
    assert [world.minute(dt.datetime.fromisoformat(gap[name])) for name in ("from", "to")] == [4, first - 1]
    assert ended.summary.endswith("Over after 47 h 57 min, of which 47 h 55 min could not be looked at.")
    assert gap["minutes"] == first - 5
    assert world.ledger.mark.gaps == ()


def test_two_long_outages_in_one_alert_add_up():
    """Counts by minute are kept for an hour, so that 48 minutes can be caught up with."""
    world = World("pp" + "n" * 500 + "p" * 20, counters={"retention": {"minutes_hours": 1}})
    world.rounds(4)
    for minute in (200, 400):
        world.counts.fresh = dataclasses.replace(LEVEL, behind_seconds=None)
        world.rounds(minute, count=3)
        world.counts.fresh = LEVEL
        world.rounds(minute, count=100)
    assert world.ledger.minutes == [*range(1, 5), *range(152, 201), *range(352, 401)]
    # Who goes on knows of both.
    other = world.worker()
    for minute in (440, 480, 510):
        world.rounds(minute, count=50, monitor=other)
    assert world.said == [(3, None), (3, 503)]
    gap = world.ledger.events[1].evidence["left_out"]
    assert [world.minute(dt.datetime.fromisoformat(gap[name])) for name in ("from", "to")] == [4, 351]
    assert gap["minutes"] == 147 + 151
    assert world.ledger.events[1].summary.endswith("8 h 20 min, of which 4 h 58 min could not be looked at.")
    assert world.ledger.mark.gaps == ()


def test_who_goes_on_after_a_long_outage_may_die_too():
    days = 3 * 1440
    world = World("pp" + "n" * (days + 8) + "pppp")
    world.rounds(4)
    world.counts.kept_from = BEGIN + 60 * (days - 49 * 60)
    world.rounds(days, count=3000, monitor=world.worker())
    assert world.said == [(3, None)]
    world.rounds(days + 14, monitor=world.worker())
    assert world.said[1:] == [(3, days + 11)]
    assert "left_out" in world.ledger.events[1].evidence


def test_a_worker_that_could_read_nothing_for_days_goes_on_with_the_present():
    days = 3 * 1440
    world = World("ppnn" + "p" * days)
    world.rounds(4)
    world.shelf.away = True
    world.rounds(days, count=3)
    world.shelf.away = False
    world.counts.kept_from = BEGIN + 60 * (days - 49 * 60)
    world.rounds(days, count=3000)
    assert world.said == [(3, None), (3, days - 1440)]
    assert world.ledger.minutes[-1] == days


def test_calm_before_an_outage_is_no_calm_after_it():
    days = 3 * 1440
    world = World("ppnnp" + "n" * 1000 + "p" * days)
    world.rounds(5)
    world.counts.fresh = dataclasses.replace(LEVEL, behind_seconds=None)
    world.rounds(days, count=3)
    world.counts.fresh = LEVEL
    world.rounds(days, count=1)
    assert world.ledger.minutes[-2:] == [5, days - 1440]
    assert world.said == [(3, None)]
    world.rounds(days, count=1)
    assert world.said == [(3, None), (3, days - 1440)]


def test_posts_that_may_come_in_late_leave_less_to_catch_up_with():
    """A day late, of two days that are kept: a minute of a day ago can be read, and none of before."""
    days = 3 * 1440
    late = {"rules": (RULE,), "delay_minutes": 1440}
    world = World("ppnn" + "p" * days, alerts=late, counters={"retention": {"minutes_hours": 26}})
    world.rounds(1440 + 4)
    world.counts.kept_from = BEGIN + 60 * (days - 26 * 60)
    world.rounds(days, count=3000, monitor=world.worker())
    assert world.ledger.minutes[-1] == days - 1440
    assert world.said[0] == (3, None)
    assert world.said[1][1] == world.ledger.minutes[4]


def test_a_rule_that_could_never_be_read_is_refused_before_anything_begins():
    with pytest.raises(UserError, match="rule mostly needs counts by minute of the last"):
        World("pp", counters={"retention": {"minutes_hours": 0.1}})


def test_counts_that_cannot_be_read_for_long_turn_health_red():
    world = World("pppp")
    world.rounds(1)
    world.counts.kept_from = BEGIN + 600
    world.rounds(4, count=1)
    assert world.monitor.health().ok
    world.clock = 1200.0
    world.rounds(4, count=2)
    assert not world.monitor.health().ok
    assert "no rule was evaluated for 20 min: Counts by 1m are not kept" in world.monitor.health().detail


def test_minutes_are_gone_through_again_one_by_one_and_kafka_is_polled_between():
    rule = RULE.model_copy(update={"calm_minutes": 600})
    world = World("ppn" + "p" * 700, alerts={"rules": (rule,)})
    world.rounds(400, count=500)
    assert world.said == [(3, None)]
    other = world.worker()
    asked = world.ledger.asked
    world.rounds(403, count=101, monitor=other)
    # It is not yet done, has looked a hundred times whether it may go on, and leaves off at once.
    assert world.ledger.asked == asked + 101
    assert world.ledger.minutes[-1] == 400
    world.ledger.mine = False
    world.rounds(403, count=1, monitor=other)
    assert other.health().detail == "another worker evaluates"
    world.ledger.mine = True
    world.rounds(620, count=1500, monitor=other)
    assert world.said == [(3, None), (3, 4)]


def test_who_is_told_to_stop_while_it_takes_over_leaves_off():
    world = World("ppnn")
    told = []

    def take_over(_, stopped):
        told.append(stopped())
        raise Stopped("Told to stop.")

    world.ledger.take_over = take_over
    world.rounds(4, count=1)
    assert told == [True]
    assert world.ledger.minutes == []


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
