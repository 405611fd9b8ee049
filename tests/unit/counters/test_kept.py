"""What a sample says of itself and of how it was drawn, without Redis."""

import datetime as dt
import random
import statistics
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from nifos_stream.counters.kept import rate_of, sample_calls, sample_of
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
    assert sample_calls(Keys("p"), look, span, look.now) == []
    return sample_of(look, [], span, look.now)


@pytest.mark.parametrize("start", [NOW - dt.timedelta(hours=1), FIRST_KEPT])
def test_within_what_is_kept_a_sample_is_whole(start):
    assert (sample(start).whole, sample(start).kept_since) == (True, None)


@pytest.mark.parametrize("before", [dt.timedelta(seconds=1), dt.timedelta(days=3000)])
def test_a_window_that_begins_before_is_not_whole_and_says_since_when(before):
    found = sample(FIRST_KEPT - before)
    assert (found.whole, found.kept_since) == (False, FIRST_KEPT)


def test_what_is_kept_stands_for_as_many_posts_as_there_were_on_average():
    chance = random.Random(4)
    estimates = []
    for _ in range(4000):
        kept = sorted(chance.random() for _ in range(40))[:5]
        estimates.append(sum(1 / rate_of(kept) for _ in kept))
    assert statistics.mean(estimates) == pytest.approx(40, rel=0.05)
    assert rate_of([0.1, 0.9]) == 1.0
