"""Each kind of rule, on a series in which it should and should not find something."""

import pytest

from nifos_stream.alerts.evaluator import Evaluator, replay
from nifos_stream.alerts.numbers import DAY
from nifos_stream.alerts.recorded import Recorded
from nifos_stream.counters.shapes import Count
from nifos_stream.settings.alerts import SilenceRule, SurgeRule, ThresholdRule

BEGIN = 1_767_225_600
DAYS = 5
NOON = BEGIN + 4 * DAY + DAY // 2


USUAL = Count(2, 2, 2)


def series(changed, usual=USUAL, source="twitter", days=DAYS):
    """The same each minute, but where changed(minute of the last noon) says otherwise."""
    made = Recorded()
    for minute in range(BEGIN, BEGIN + days * DAY, 60):
        count = changed((minute - NOON) // 60)
        made.add(minute, usual if count is None else count, {"source": (source,)})
    return made


def found(rule, made, first=NOON - 3600, last=NOON + 7200):
    """(dimension, value, minutes after noon of the beginning, of the end)."""
    alerts = {}
    for alert in replay(Evaluator([rule], made), first, last):
        alerts[alert.id] = alert
    return [
        (
            *alert.subject[1:],
            (alert.started_at - NOON) // 60,
            alert.ended_at and (alert.ended_at - NOON) // 60,
        )
        for alert in alerts.values()
    ]


def within(low, high, minute, count):
    return count if low <= minute < high else None


def test_a_surge_of_negative_posts_is_found_for_all_and_for_the_source():
    made = series(lambda minute: within(0, 30, minute, Count(8, 2, 2)))
    alerts = found(SurgeRule(name="surge"), made)
    assert [alert[:2] for alert in alerts] == [("all", ""), ("source", "twitter")]
    assert all(0 < begun <= 5 and 30 < ended < 36 for *_, begun, ended in alerts)


def test_a_share_surges_at_the_same_volume():
    made = series(lambda minute: within(0, 60, minute, Count(6, 0, 0)), usual=Count(1, 2, 3))
    assert found(SurgeRule(name="surge", metrics=("negative_share",), dimensions=("all",)), made)


def test_more_of_everything_is_no_surge_of_the_share():
    made = series(lambda minute: within(0, 60, minute, Count(8, 8, 8)))
    assert found(SurgeRule(name="surge", metrics=("negative_share",)), made) == []
    assert found(SurgeRule(name="surge", metrics=("posts",)), made)


def test_a_small_rise_is_left_alone_however_sure_it_is():
    made = series(lambda minute: within(0, 60, minute, Count(560, 0, 0)), usual=Count(400, 0, 0))
    assert found(SurgeRule(name="surge", metrics=("negative",)), made) == []


def test_few_posts_are_no_surge():
    made = series(lambda minute: within(0, 60, minute, Count(1, 0, 0)), usual=Count(0, 1, 0))
    assert found(SurgeRule(name="surge", min_count=10), made) == []
    assert found(SurgeRule(name="surge", min_count=3), made)


def test_a_value_without_a_history_does_not_surge():
    made = series(lambda _: None)
    for minute in range(30):
        made.add(NOON + 60 * minute, Count(9, 0, 0), {"source": ("new",)})
    assert {value for _, value, *_ in found(SurgeRule(name="surge"), made)} == {""}


def test_a_rule_can_look_at_some_values_alone():
    made = series(lambda minute: within(0, 30, minute, Count(8, 2, 2)))
    rule = SurgeRule(name="surge", dimensions=("source",), values=("naver_blog",))
    assert found(rule, made) == []


def test_a_threshold_over_two_hours_has_a_line_to_cross_and_another_to_come_back_over():
    made = series(lambda minute: within(0, 60, minute, Count(10, 0, 0)), usual=Count(2, 2, 2))
    rule = ThresholdRule(name="mostly", dimensions=("all",), above=0.5, window_minutes=120)
    ((_, _, begun, ended),) = found(rule, made, last=NOON + 4 * 3600)
    # A third of 6 posts, and 10 of 10 for n of 120 minutes: above 0.5 from n = 21 on.
    assert begun == 21
    assert 60 + 120 - 21 < ended < 60 + 120


def test_a_threshold_below_a_line():
    made = series(lambda minute: within(0, 60, minute, Count(1, 0, 0)))
    rule = ThresholdRule(name="few", dimensions=("all",), metric="posts", below=40, window_minutes=10)
    assert [alert[2:] for alert in found(rule, made)] == [(5, 67)]


def test_a_share_of_too_few_posts_crosses_no_line():
    made = series(lambda minute: within(0, 60, minute, Count(1, 0, 0)), usual=Count(0, 0, 0))
    rule = ThresholdRule(name="mostly", dimensions=("all",), above=0.5, window_minutes=10, min_posts=11)
    assert found(rule, made) == []


MINUTES_OF_A_DAY = 1440
FEW = ThresholdRule(name="few", dimensions=("source",), metric="posts", below=5, window_minutes=10)


def without(*gone):
    """One post a minute of `twitter`, but for the minutes after noon of these (from, to)."""
    made = Recorded()
    for minute in range(BEGIN, NOON + 20 * DAY, 60):
        after = (minute - NOON) // 60
        if not any(low <= after < high for low, high in gone):
            made.add(minute, Count(0, 1, 0), {"source": ("twitter",)})
        else:
            made.add(minute, Count(1, 0, 0), {})
    return made


def test_a_source_that_posts_no_more_is_below_every_number():
    assert [alert[1:] for alert in found(FEW, without((0, 40)))] == [("twitter", 6, 46)]


def test_a_number_of_one_label_that_vanished_is_below_the_line_too():
    rule = ThresholdRule(name="few", dimensions=("source",), metric="neutral", below=5, window_minutes=10)
    assert [alert[1:] for alert in found(rule, without((0, 40)))] == [("twitter", 6, 46)]


def test_a_source_that_is_gone_for_two_weeks_is_no_longer_expected():
    """Its last post was in the hour before noon, and days are looked at: at midnight two weeks later."""
    made = without((0, 20 * MINUTES_OF_A_DAY))
    ((_, _, begun, ended),) = found(FEW, made, last=NOON + 17 * DAY)
    assert begun == 6
    assert 14 * MINUTES_OF_A_DAY <= ended <= 15 * MINUTES_OF_A_DAY
    assert found(FEW, made, first=NOON + 16 * DAY, last=NOON + 17 * DAY) == []


def test_a_silence_of_a_source_that_is_gone_ends_too():
    rule = SilenceRule(name="silent", dimensions=("source",), min_expected=8, window_minutes=10)
    ((_, _, begun, ended),) = found(rule, without((0, 20 * MINUTES_OF_A_DAY)), last=NOON + 17 * DAY)
    assert begun == 10
    assert 14 * MINUTES_OF_A_DAY <= ended <= 15 * MINUTES_OF_A_DAY


def test_a_named_value_is_below_a_number_for_as_long_as_it_is():
    rule = FEW.model_copy(update={"values": ("nobody",)})
    assert [alert[1:] for alert in found(rule, series(lambda _: None))] == [("nobody", -59, None)]


def test_a_young_source_is_below_nothing():
    made = series(lambda _: None)
    made.add(NOON, Count(0, 1, 0), {"source": ("new",)})
    assert found(FEW, made) == []


def test_there_is_no_share_where_there_is_no_post():
    rule = ThresholdRule(
        name="sad", dimensions=("source",), metric="positive_share", below=0.5, window_minutes=10, min_posts=0
    )
    # Nothing but neutral posts, and then none at all.
    assert [alert[1:] for alert in found(rule, without((0, 40)), last=NOON + 1800)] == [("twitter", -59, 10)]


@pytest.mark.parametrize(("min_posts", "begun"), [(None, [5]), (41, []), (40, [10])])
def test_the_fewest_posts_hold_for_a_number_too(min_posts, begun):
    made = series(lambda minute: within(0, 60, minute, Count(4, 0, 0)), usual=Count(0, 0, 0))
    rule = ThresholdRule(
        name="many", dimensions=("all",), metric="negative", above=19, window_minutes=10, min_posts=min_posts
    )
    assert [alert[2] for alert in found(rule, made)] == begun


def test_a_source_that_usually_writes_falls_silent():
    made = series(lambda minute: within(0, 40, minute, Count()), usual=Count(0, 1, 0))
    assert found(SilenceRule(name="silent"), made) == [("all", "", 30, 41), ("source", "twitter", 30, 41)]
    assert found(SilenceRule(name="silent", min_expected=31), made) == []


def test_a_named_source_needs_no_history():
    made = series(lambda minute: within(0, 40, minute, Count()), days=5)
    rule = SilenceRule(name="silent", dimensions=("source",), values=("other",), min_expected=0)
    assert [alert[1] for alert in found(rule, made)] == ["other"]


def test_where_there_was_no_post_the_evidence_has_no_share():
    rule = SilenceRule(name="silent", dimensions=("source",), values=("other",), min_expected=0)
    (alert,) = replay(Evaluator([rule], series(lambda _: None)), NOON, NOON + 60)
    assert alert.evidence["count"]["total"] == 0
    assert alert.evidence["negative_share"] is None
