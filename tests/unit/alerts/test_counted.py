"""The live counts are asked for the fewest buckets that make up a window."""

import datetime as dt
from types import SimpleNamespace

import pytest

from nifos_stream.alerts.counted import Counted
from nifos_stream.alerts.numbers import DAY, HOUR
from nifos_stream.counters.shapes import Count

NOON = 1_767_225_600 + 12 * HOUR


class FakeCounts:
    """One post a minute of each of two sources, and what was asked."""

    def __init__(self, since=0):
        self.asked = []
        self.since = since

    def window(self, *, by, start, end, grain):
        self.asked.append((grain, (start - NOON) // 60, (end - NOON) // 60))
        if grain == "1d":
            start = start // DAY * DAY
            end = start + DAY
        minutes = max(0, int(end - max(start, self.since)) // 60)
        groups = {"a": Count(negative=minutes), "b": Count(positive=minutes)} if by else {}
        return SimpleNamespace(
            total=Count(negative=minutes, positive=minutes),
            groups=groups,
            start=dt.datetime.fromtimestamp(start, dt.UTC),
            end=dt.datetime.fromtimestamp(end, dt.UTC),
        )


@pytest.mark.parametrize(
    ("start", "end", "asked"),
    [
        (7, 12, [("1m", 7, 12)]),
        (0, 60, [("1h", 0, 60)]),
        (-30, 60, [("1m", -30, 60)]),
        (-83, 37, [("1m", -83, -60), ("1h", -60, 0), ("1m", 0, 37)]),
        (-120, 0, [("1h", -120, 0)]),
        (-121, 60, [("1m", -121, -120), ("1h", -120, 60)]),
    ],
)
def test_a_window_is_read_by_hours_where_that_is_less(start, end, asked):
    counts = FakeCounts()
    found = Counted(counts, ["source"]).window("source", NOON + 60 * start, NOON + 60 * end)
    assert counts.asked == asked
    assert found == {"a": Count(negative=end - start), "b": Count(positive=end - start)}


def test_everything_together_is_one_value():
    found = Counted(FakeCounts(), ["source"]).window("all", NOON, NOON + 300)
    assert found == {"": Count(negative=5, positive=5)}


def test_a_value_without_posts_is_not_there():
    assert Counted(FakeCounts(since=NOON + 600), ["source"]).window("source", NOON, NOON + 300) == {}


def test_a_value_is_first_seen_on_the_first_day_that_has_posts_of_it():
    begun = NOON - 3 * DAY
    seen = Counted(FakeCounts(since=begun), ["source"]).first_seen("source", NOON - 10 * DAY, NOON)
    assert seen == dict.fromkeys("ab", begun - begun % DAY)


def test_the_dimensions_are_those_that_are_counted():
    assert Counted(FakeCounts(), ["source", "channel"]).dimensions() == {"all", "source", "channel"}
