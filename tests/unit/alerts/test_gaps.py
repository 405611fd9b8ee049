"""Outages in one alert add up; one that began between them saw the later alone."""

from nifos_stream.alerts import gaps
from nifos_stream.alerts.gaps import Gap


def test_two_outages_are_told_as_one_with_the_minutes_of_both():
    both = gaps.added(gaps.added((), 60, 180), 600, 660)
    assert both == (Gap(60, 180, 2), Gap(600, 660, 1))
    assert gaps.whole(both) == Gap(60, 660, 3)
    assert gaps.whole(gaps.during(both, 60)) == Gap(60, 660, 3)


def test_what_began_between_two_outages_saw_the_second_alone():
    both = gaps.added(gaps.added((), 60, 180), 600, 660)
    assert gaps.during(both, 240) == (Gap(600, 660, 1),)
    assert gaps.whole(gaps.during(both, 660)) is None


def test_an_outage_that_lasts_is_one():
    assert gaps.added(gaps.added((), 60, 180), 60, 300) == (Gap(60, 300, 4),)


def test_many_outages_are_kept_as_few_and_no_minute_is_forgotten():
    many = ()
    for number in range(50):
        many = gaps.added(many, 600 * number, 600 * number + 120)
    assert len(many) == gaps.MOST
    assert gaps.whole(many) == Gap(0, 600 * 49 + 120, 100)
    assert many[-1] == Gap(600 * 49, 600 * 49 + 120, 2)
