"""Scores have the tails that the thresholds are computed from."""

import math
from statistics import NormalDist

import pytest

from nifos_stream.alerts.score import count_score, line, share_score


@pytest.mark.parametrize(("series", "score"), [(1, 4.26), (10, 4.75), (100, 5.20), (1000, 5.61)])
def test_the_line_keeps_the_false_alarms_of_a_week_over_all_series(series, score):
    assert line(0.1, series) == pytest.approx(score, abs=0.01)


def poisson_tail(count, mean):
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count, count + 400))


def score_of(tail):
    return -NormalDist().inv_cdf(tail)


@pytest.mark.parametrize(("count", "mean"), [(10, 0.5), (20, 5), (44, 21), (63, 21), (160, 100)])
def test_a_count_scores_as_rare_as_it_is(count, mean):
    """The score is that of the exact Poisson tail, however small it is."""
    assert count_score(count, mean) == pytest.approx(score_of(poisson_tail(count, mean)), abs=0.12)


def test_no_more_than_usual_scores_nothing():
    assert count_score(21, 21) == 0.0
    assert share_score(30, 100, 0.3) == 0.0
    assert share_score(0, 0, 0.3) == 0.0


def binomial_tail(count, total, share):
    return sum(math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(count, total + 1))


@pytest.mark.parametrize(("count", "total", "share"), [(25, 30, 0.3), (55, 100, 0.3), (20, 20, 0.5)])
def test_a_share_scores_as_rare_as_it_is(count, total, share):
    exact = score_of(binomial_tail(count, total, share))
    assert share_score(count, total, share) == pytest.approx(exact, abs=0.12)


def test_what_differs_from_day_to_day_scores_less():
    assert count_score(63, 21, spread=0.3) < 0.75 * count_score(63, 21)
    assert share_score(55, 100, 0.3, spread=0.1) < 0.5 * share_score(55, 100, 0.3)
