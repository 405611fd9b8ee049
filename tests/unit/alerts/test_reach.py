"""A rule that reads further back than counts are kept is refused; others may be as late as that allows."""

import pytest

from nifos_stream.alerts.numbers import DAY, HOUR
from nifos_stream.alerts.reach import reach_of
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import SilenceRule, SurgeRule, ThresholdRule


def settings(*rules, delay_minutes=0, **retention):
    alerts = {"delay_minutes": delay_minutes} | ({"rules": rules} if rules else {})
    return Settings(alerts=alerts, counters={"retention": retention})


def test_the_rules_as_they_come_may_be_a_day_late():
    assert reach_of(settings()).evaluated_seconds == DAY


def test_what_comes_in_late_leaves_less_to_be_missed():
    """A window of a day that ends a day ago, of 49 hours: one hour is left, less what a minute may take."""
    rule = ThresholdRule(name="day", above=0.5, window_minutes=1440)
    reach = reach_of(settings(rule, delay_minutes=1440))
    assert 0 < reach.evaluated_seconds == reach.readable_seconds <= HOUR - 600


def test_the_longest_history_leaves_less_to_be_missed():
    rule = SurgeRule(name="old", history_days=60)
    reach = reach_of(settings(rule, hours_days=61))
    assert DAY - 3 * HOUR < reach.evaluated_seconds < DAY - 2 * HOUR


REFUSED = {
    "Alert rule long needs counts by minute of the last 10.2 hours, and they are kept for 8; lower its"
    " window_minutes or NIFOS_ALERTS__DELAY_MINUTES, or raise NIFOS_COUNTERS__RETENTION__MINUTES_HOURS.": (
        settings(ThresholdRule(name="long", above=0.5, window_minutes=600), minutes_hours=8)
    ),
    "Alert rule late needs counts by minute of the last 24.3 hours, and they are kept for 24; lower its"
    " window_minutes or NIFOS_ALERTS__DELAY_MINUTES, or raise NIFOS_COUNTERS__RETENTION__MINUTES_HOURS.": (
        settings(SurgeRule(name="late"), delay_minutes=1440, minutes_hours=24)
    ),
    "Alert rule old needs counts by hour of the last 14.1 days, and they are kept for 14; lower its"
    " history_days or NIFOS_ALERTS__DELAY_MINUTES, or raise NIFOS_COUNTERS__RETENTION__HOURS_DAYS.": (
        settings(SurgeRule(name="old"), hours_days=14)
    ),
    "Alert rule silent needs counts by day of the last 14.1 days, and they are kept for 5; lower its"
    " history_days or NIFOS_ALERTS__DELAY_MINUTES, or raise NIFOS_COUNTERS__RETENTION__DAYS_DAYS.": (
        settings(SilenceRule(name="silent"), days_days=5)
    ),
    "Alert rule few needs counts by day of the last 14.1 days, and they are kept for 3; name its values,"
    " lower NIFOS_ALERTS__DELAY_MINUTES, or raise NIFOS_COUNTERS__RETENTION__DAYS_DAYS.": (
        settings(ThresholdRule(name="few", metric="posts", below=20), days_days=3)
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_a_rule_that_reads_further_back_than_counts_are_kept_is_refused(said):
    with pytest.raises(UserError) as refused:
        reach_of(REFUSED[said])
    assert str(refused.value) == said


BELOW = {"name": "few", "metric": "posts", "below": 20}


@pytest.mark.parametrize(
    "rule",
    [
        ThresholdRule(name="mostly", above=0.5),
        ThresholdRule(name="mostly", below=0.5),
        ThresholdRule(**BELOW, values=("twitter",)),
        ThresholdRule(**BELOW, dimensions=("all",)),
    ],
)
def test_a_rule_that_looks_at_no_history_needs_none(rule):
    reach_of(settings(rule, hours_days=1, days_days=1))


def test_a_day_more_than_the_history_is_enough():
    reach_of(settings(SurgeRule(name="x", history_days=3), ThresholdRule(**BELOW), days_days=15))
