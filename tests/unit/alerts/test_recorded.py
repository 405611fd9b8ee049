"""A recorded series answers for every window as if it were added up anew."""

import random

from nifos_stream.alerts.numbers import DAY, HOUR
from nifos_stream.alerts.recorded import Recorded
from nifos_stream.counters.shapes import Count

BEGIN = 1_767_225_600


def made(seed):
    """A series, and the same as a plain list."""
    rng, series, plain = random.Random(seed), Recorded(), []
    for _ in range(2000):
        minute = BEGIN + 60 * rng.randrange(600)
        count, name = Count(rng.randrange(3), rng.randrange(3), rng.randrange(3)), rng.choice("abc")
        series.add(minute + rng.random() * 59, count, {"source": (name,)})
        plain.append((minute, name, count))
    return rng, series, plain


def added_up(plain, start, end):
    found = {}
    for minute, name, count in plain:
        if start <= minute < end and count.total:
            found[name] = found.get(name, Count()) + count
    return found


def test_windows_that_move_on_jump_or_go_back_are_right():
    rng, series, plain = made(1)
    at = BEGIN
    for _ in range(300):
        at = at + 60 if rng.random() < 0.9 else BEGIN + 60 * rng.randrange(600)
        for minutes in (1, 5, 60, 120):
            asked = (at - 60 * minutes, at)
            assert series.window("source", *asked) == added_up(plain, *asked)


def test_whole_hours_are_right():
    _, series, plain = made(2)
    for hour in range(10):
        asked = (BEGIN + hour * HOUR, BEGIN + (hour + 1) * HOUR)
        assert series.window("source", *asked) == added_up(plain, *asked)


def test_it_knows_where_it_begins_and_ends_and_what_is_in_it():
    series = Recorded()
    series.add(BEGIN + 61, Count(1, 0, 0), {"source": ("a",), "keyword": ("x", "y")})
    series.add(BEGIN + 3 * DAY, Count(1, 0, 0), {"source": ("b",)})
    assert (series.start, series.end) == (BEGIN + 60, BEGIN + 3 * DAY + 60)
    assert series.dimensions() == {"all", "source", "keyword"}
    assert series.first_seen("source", BEGIN - DAY, BEGIN + DAY) == {"a": BEGIN}
    assert series.window("channel", BEGIN, BEGIN + 60) == {}


def test_values_are_seen_while_their_days_are_looked_at():
    """As live counts say it: a day counts whole, whenever on it the posts were, in whichever order added."""
    series = Recorded()
    for day in (5, 0, 2, 5, 2, 0):
        series.add(BEGIN + day * DAY + 12 * HOUR, Count(1, 0, 0), {"source": ("a",)})

    def seen(first, last):
        return series.first_seen("source", BEGIN + first, BEGIN + last)

    assert seen(0, 6 * DAY) == {"a": BEGIN}
    assert seen(DAY, 6 * DAY) == {"a": BEGIN + 2 * DAY}
    assert seen(2 * DAY + 18 * HOUR, 6 * DAY) == {"a": BEGIN + 2 * DAY + 18 * HOUR}
    assert seen(3 * DAY, 5 * DAY) == seen(6 * DAY, 9 * DAY) == {}
