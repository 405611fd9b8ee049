import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.windows import STEPS, Windows, instant, seconds_of
from nifos_stream.errors import UserError
from nifos_stream.settings import GRAINS, RetentionSettings

SEOUL = ZoneInfo("Asia/Seoul")
NOW = dt.datetime(2026, 5, 20, 14, 3, 27, tzinfo=SEOUL).timestamp()
RETENTION = RetentionSettings().seconds()


@pytest.fixture
def windows():
    return Windows(Calendar("Asia/Seoul"), RETENTION)


def last(windows, window, **options):
    return windows.span(NOW - seconds_of(window), NOW, NOW, **options)


@pytest.mark.parametrize(
    ("window", "grain", "step"),
    [
        ("1m", "10s", "10s"),
        ("5m", "10s", "10s"),
        ("15m", "10s", "10s"),
        ("1h", "10s", "1m"),
        ("24h", "1m", "1h"),
        ("7d", "1h", "1h"),
        ("365d", "1d", "month"),
    ],
)
def test_a_window_is_rounded_to_the_finest_grain_that_covers_it(windows, window, grain, step):
    span = last(windows, window)
    assert (span.grain, span.step) == (grain, step)
    assert span.start <= NOW - seconds_of(window)
    assert span.end >= NOW


def test_rounding_goes_outward_and_no_further(windows):
    span = last(windows, "1m")
    assert span.start == NOW - 67
    assert span.end == NOW + 3


def test_a_grain_can_be_asked_for(windows):
    span = last(windows, "24h", grain="month")
    assert windows.points(span) == [int(dt.datetime(2026, 5, 1, tzinfo=SEOUL).timestamp())]
    assert len(windows.points(last(windows, "730d", grain="year"))) == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"grain": "2h"}, "A grain is one of"),
        ({"grain": "10s"}, "not kept so far back"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(windows, options, sentence):
    with pytest.raises(UserError, match=sentence):
        last(windows, "7d", **options)
    for end in (NOW - 1, NOW):
        with pytest.raises(UserError, match="must end after it begins"):
            windows.span(NOW, end, NOW)


def test_too_many_points_are_refused():
    forever = dict.fromkeys(RETENTION, 10**9)
    with pytest.raises(UserError, match="too many points"):
        Windows(Calendar("Asia/Seoul"), forever).span(NOW - 1e7, NOW, NOW, "10s")


def any_window(*, most_ago, most_seconds):
    """A zone, how long ago the window ended, how long it is, and its grain."""
    return given(
        st.sampled_from(("Asia/Seoul", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")),
        st.floats(0, most_ago),
        st.floats(1, most_seconds),
        st.sampled_from((None, "1d", "month", "year")),
    )


@settings(deadline=None)
@any_window(most_ago=3e8, most_seconds=1e8)
# On the way its clocks go back by half an hour.
@example("Australia/Lord_Howe", 60.0, 55 * 86_400.0, None)
def test_the_pieces_are_the_window_and_each_is_kept(zone, ago, length, grain):
    """One after the other, none twice, each within its point and of a grain that has not expired."""
    calendar = Calendar(zone)
    windows = Windows(calendar, RETENTION)
    end = NOW - ago + 60
    span = windows.span(end - length, end, NOW, grain)
    points = [*windows.points(span), span.end]
    at = span.start
    for piece in windows.pieces(span, NOW):
        assert piece.start == at == calendar.start(piece.grain, at)
        at = calendar.end(piece.grain, at)
        assert points[piece.point] <= piece.start < at <= points[piece.point + 1]
        if piece.grain != "1d":
            assert at + RETENTION[piece.grain] > NOW
    assert at == span.end


@settings(deadline=None)
@any_window(most_ago=1e8, most_seconds=6e7)
@example("Asia/Seoul", 60.0, 3600.0, None)
@example("Asia/Seoul", 60.0, 108_000.0, None)
def test_no_bucket_of_the_window_before_is_one_of_the_window(zone, ago, length, grain):
    """It ends where the window begins, has as many buckets of the same grain, and these are kept."""
    calendar = Calendar(zone)
    windows = Windows(calendar, RETENTION)
    end = NOW - ago + 60
    span = windows.span(end - length, end, NOW, grain, compared=True)
    before = windows.before(span, NOW)
    assert (before.end, before.grain) == (span.start, span.grain)
    assert buckets(calendar, before) == buckets(calendar, span)
    if span.grain in ("10s", "1m", "1h"):
        assert before.end - before.start == span.end - span.start
    at = before.start
    for piece in windows.pieces(before, NOW):
        assert piece.start == at
        at = calendar.end(piece.grain, at)
        assert piece.grain == "1d" or at + RETENTION[piece.grain] > NOW
    assert at == span.start


def buckets(calendar, span):
    count, at = 0, span.start
    while at < span.end:
        assert calendar.start(span.grain, at) == at
        count, at = count + 1, calendar.end(span.grain, at)
    return count


@pytest.mark.parametrize(
    ("window", "grain"), [("5m", "10s"), ("1h", "1m"), ("24h", "1m"), ("30h", "1h"), ("7d", "1h")]
)
def test_a_window_that_is_compared_is_no_coarser_than_the_window_before_needs(windows, window, grain):
    for now in (NOW, NOW + 2.99, NOW + 3.01, NOW + 30, NOW + 600):
        asked = now - seconds_of(window)
        span = windows.span(asked, now, now, compared=True)
        assert span.grain == grain
        assert asked - GRAINS[grain] < span.start <= asked
        assert now <= span.end < now + GRAINS[grain]


def test_a_window_before_that_is_not_kept_is_refused_and_takes_nothing_from_the_window(windows):
    span = last(windows, "2000d", compared=True)
    assert span == last(windows, "2000d")
    with pytest.raises(UserError, match="not kept so far back"):
        windows.before(span, NOW)
    ten_seconds = last(windows, "90m", grain="10s", compared=True)
    assert ten_seconds == last(windows, "90m", grain="10s")
    with pytest.raises(UserError, match="not kept so far back"):
        windows.before(ten_seconds, NOW)


def test_few_buckets_are_read_for_a_long_window(windows):
    assert len(list(windows.pieces(last(windows, "24h"), NOW))) <= 24 + 2 * 60
    assert len(list(windows.pieces(last(windows, "1h"), NOW))) <= 60 + 2 * 6


@pytest.mark.parametrize("text", ["", "5", "m", "0m", "-5m", "1.5h", "5 minutes", "9999999d"])
def test_a_window_that_is_none_is_refused(text):
    with pytest.raises(UserError, match="15m"):
        seconds_of(text)


def test_dates_without_a_zone_are_read_in_the_given_one():
    midnight = dt.datetime(2026, 5, 1, tzinfo=SEOUL).timestamp()
    assert instant("2026-05-01", SEOUL) == midnight
    assert instant(dt.date(2026, 5, 1), SEOUL) == midnight
    assert instant("2026-05-01T00:00:00+09:00", dt.UTC) == midnight
    assert instant(midnight, SEOUL) == midnight
    with pytest.raises(UserError, match="not a date"):
        instant("1 May", SEOUL)


def test_steps_are_ordered():
    assert STEPS == ("10s", "1m", "1h", "1d", "month", "year")


def test_a_window_of_long_ago_is_answered_too(windows):
    """Nothing was counted then, and that is an answer."""
    end = instant("0001-01-02", SEOUL)
    assert windows.span(end - 3600, end, NOW).grain == "1d"
