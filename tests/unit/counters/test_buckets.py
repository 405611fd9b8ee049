import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nifos_stream.counters.buckets import EARLIEST, LATEST, Calendar, believable

GRAINS = ("10s", "1m", "1h", "1d", "month", "year")
ZONES = (
    "Asia/Seoul",
    "America/New_York",
    "Asia/Kolkata",
    "America/St_Johns",
    "Asia/Beirut",
    "America/Sao_Paulo",
)
moments = st.integers(-500_000_000, 4_000_000_000)


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.sampled_from(GRAINS), moments)
def test_a_moment_lies_in_its_bucket_and_buckets_meet(zone, grain, seconds):
    calendar = Calendar(zone)
    start = calendar.start(grain, seconds)
    end = calendar.end(grain, start)
    assert start <= seconds < end
    assert calendar.start(grain, start) == calendar.start(grain, end - 1) == start
    assert calendar.start(grain, end) == end


def test_days_begin_at_midnight_of_the_time_zone():
    calendar = Calendar("Asia/Seoul")
    evening = int(dt.datetime(2026, 5, 1, 15, 30, tzinfo=dt.UTC).timestamp())
    assert calendar.moment(calendar.start("1d", evening)) == dt.datetime(
        2026, 5, 2, tzinfo=ZoneInfo("Asia/Seoul")
    )


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-06-01", 24)])
def test_days_are_as_long_as_the_clocks_make_them(day, hours):
    calendar = Calendar("America/New_York")
    noon = int(dt.datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=calendar.zone).timestamp())
    start = calendar.start("1d", noon)
    assert calendar.end("1d", start) - start == hours * 3600


def test_months_and_years_are_those_of_the_calendar():
    calendar = Calendar("Asia/Seoul")
    start = calendar.start("month", int(dt.datetime(2028, 2, 29, tzinfo=calendar.zone).timestamp()))
    assert calendar.end("month", start) - start == 29 * 86_400
    assert calendar.moment(calendar.start("year", start)) == dt.datetime(2028, 1, 1, tzinfo=calendar.zone)


@settings(deadline=None)
@given(st.floats(-1e12, 1e12))
def test_every_date_has_a_bucket(seconds):
    for grain in GRAINS:
        Calendar("Asia/Seoul").start(grain, believable(seconds))
    assert EARLIEST <= believable(seconds) <= LATEST
