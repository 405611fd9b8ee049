"""What is usual is found from the same hours of earlier days, whatever happened on one of them."""

import pytest

from nifos_stream.alerts.history import History, Reads
from nifos_stream.alerts.numbers import DAY, HOUR
from nifos_stream.alerts.recorded import Recorded
from nifos_stream.counters.shapes import Count

MIDNIGHT = 1_767_225_600
NOON = MIDNIGHT + 10 * DAY + 12 * HOUR


def series(per_minute, days=range(10), source="twitter"):
    """per_minute(day, hour) -> Count, for each minute of these days."""
    made = Recorded()
    for day in days:
        for hour in range(24):
            count = per_minute(day, hour)
            if count.total:
                for minute in range(60):
                    made.add(MIDNIGHT + day * DAY + hour * HOUR + 60 * minute, count, {"source": (source,)})
    return made


def usual(made, metric="negative", start=NOON, minutes=5, source="twitter", **days):
    reads = {"source": Reads(60 * minutes)}
    history = History(made, **({"days": 14, "min_days": 3, "reads": reads} | days))
    return history.usual("source", source, metric, start, start + 60 * minutes)


def test_the_usual_count_is_that_of_the_time_of_day():
    made = series(lambda _, hour: Count(negative=hour, neutral=1))
    assert usual(made, start=NOON + 28 * 60).level == pytest.approx(5 * 12, rel=0.02)
    assert usual(made, start=NOON - 2 * 60 - 30).level == pytest.approx(5 * 11.5, rel=0.02)


def test_one_wild_day_changes_nothing():
    made = series(lambda day, _: Count(negative=200 if day == 4 else 4))
    assert usual(made).level == pytest.approx(20)


def test_a_share_is_a_share_at_any_volume():
    made = series(lambda day, _: Count(negative=3 * (1 + day % 3), positive=7 * (1 + day % 3)))
    assert usual(made, "negative_share").level == pytest.approx(0.3)


def test_days_without_any_count_are_no_days_without_posts():
    made = series(lambda day, _: Count(negative=4) if day not in (7, 8) else Count())
    found = usual(made)
    assert (found.level, found.days) == (pytest.approx(20), 8)


def test_days_before_a_value_was_first_seen_are_left_out():
    made = series(lambda *_: Count(negative=4))
    young = series(lambda *_: Count(negative=2), days=range(6, 10), source="young")
    for minute, sums in young._series["source"].minutes.items():
        made.add(minute, Count(*sums["young"]), {"source": ("young",)})
    found = usual(made, source="young")
    assert (found.level, found.days) == (pytest.approx(10), 4)


def test_too_few_days_say_nothing():
    made = series(lambda *_: Count(negative=4), days=range(8, 10))
    assert usual(made) is None
    assert usual(made, min_days=2) is not None


def test_what_is_hardly_ever_there_is_rare_and_not_impossible():
    made = series(lambda _, hour: Count(positive=4, negative=int(hour == 3)))
    assert 0 < usual(made).level < 0.05


def test_days_that_differ_have_a_spread():
    alike, apart = series(lambda *_: Count(negative=40)), series(lambda day, _: Count(negative=20 + 5 * day))
    assert usual(alike).spread == pytest.approx(0.05)
    assert usual(apart).spread > 0.2


def test_a_long_window_follows_the_hours():
    made = series(lambda _, hour: Count(negative=hour))
    assert usual(made, start=NOON - 6 * HOUR, minutes=12 * 60).level == pytest.approx(
        12 * 60 * 11.5, rel=0.05
    )


def test_a_history_remembers_no_more_hours_than_a_window_lies_in():
    made = series(lambda *_: Count(negative=4))
    history = History(made, 14, 3, {"source": Reads(5 * 60), "all": Reads(6 * HOUR)})
    most = {"source": 0, "all": 0}
    for minute in range(NOON, NOON + 12 * HOUR, 300):
        for dimension, value, seconds in (("source", "twitter", 300), ("all", "", 6 * HOUR)):
            assert history.usual(dimension, value, "negative", minute - seconds, minute) is not None
            most[dimension] = max(most[dimension], history.hours_kept(dimension))
    assert most == {"source": 3, "all": 8}


def test_no_hour_is_read_twice_while_it_is_needed():
    made = series(lambda *_: Count(negative=4))
    read = []

    class Watched(Recorded):
        def window(self, dimension, start, end):
            if dimension == "all":
                read.append(start)
            return made.window(dimension, start, end)

        first_seen = made.first_seen

    history = History(Watched(), 14, 3, {"source": Reads(2 * HOUR)})
    for minute in range(NOON, NOON + 6 * HOUR, 60):
        history.usual("source", "twitter", "posts", minute - 2 * HOUR, minute)
    assert len(read) == len(set(read))


def test_only_the_values_that_are_asked_for_are_remembered():
    made = series(lambda *_: Count(negative=4))
    history = History(made, 14, 3, {"source": Reads(300, frozenset({"naver_blog"}))})
    assert history.usual("source", "twitter", "negative", NOON - 300, NOON).level < 1
    assert Reads(60, frozenset("a")).also(Reads(300, frozenset("b"))) == Reads(300, frozenset("ab"))
    assert Reads(60, frozenset("a")).also(Reads(300)).values is None
