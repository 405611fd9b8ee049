"""What a sample says of itself, where nothing is counted and so no Redis is asked."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from nifos_stream.counters import connect
from nifos_stream.counters.kept import read_sample
from nifos_stream.counters.look import Look
from nifos_stream.counters.store import Keys
from nifos_stream.counters.windows import Span

SEOUL = ZoneInfo("Asia/Seoul")
NOW = dt.datetime(2026, 5, 20, 14, 3, 27, tzinfo=SEOUL)
FIRST_KEPT = dt.datetime(2026, 5, 5, tzinfo=SEOUL)


def sample(start):
    nothing = Look.of(None, [], "Asia/Seoul")
    look = replace(nothing, now=NOW.timestamp(), rules=replace(nothing.rules, sample_posts=10))
    span = Span(int(start.timestamp()), int(NOW.timestamp()), "1d", "1d")
    return read_sample(connect.client("redis://127.0.0.1:1/0", 1.0), Keys("p"), look, span)


@pytest.mark.parametrize("start", [NOW - dt.timedelta(hours=1), FIRST_KEPT])
def test_within_what_is_kept_a_sample_is_whole(start):
    assert (sample(start).whole, sample(start).kept_since) == (True, None)


@pytest.mark.parametrize("before", [dt.timedelta(seconds=1), dt.timedelta(days=3000)])
def test_a_window_that_begins_before_is_not_whole_and_says_since_when(before):
    found = sample(FIRST_KEPT - before)
    assert (found.whole, found.kept_since) == (False, FIRST_KEPT)
