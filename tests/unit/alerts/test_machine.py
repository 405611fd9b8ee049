"""An alert begins once, lasts through what is neither, and ends when all has been calm for long enough."""

import pytest

from nifos_stream.alerts.machine import Judged, Machine, Subject

TWITTER, BLOG = Subject("rule", "source", "twitter"), Subject("rule", "source", "blog")


def judged(state, weight=1.0):
    """state: over, calm, or between."""
    return Judged("negative", state == "over", state == "calm", 3, weight, {"number": 1})


@pytest.fixture
def machine():
    return Machine(most_open=10)


def walk(machine, states, subject=TWITTER, first=0):
    """(minute, what, started, ended) of each change."""
    found = []
    for minute, state in enumerate(states.split(), first):
        for alert in machine.step(60 * minute, {subject: judged(state)} if state != "gone" else {}):
            end = None if alert.ended_at is None else alert.ended_at // 60
            found.append((minute, alert.started_at // 60, end))
    return found


def test_an_alert_begins_at_the_first_minute_and_ends_at_the_first_of_three_calm_ones(machine):
    assert walk(machine, "calm over over over calm calm calm calm") == [(1, 1, None), (6, 1, 4)]


def test_it_lasts_while_it_wavers(machine):
    states = "over between calm calm between calm over calm calm calm"
    assert walk(machine, states) == [(0, 0, None), (9, 0, 7)]


def test_it_can_begin_again_and_is_another_then(machine):
    assert walk(machine, "over calm calm calm over") == [(0, 0, None), (3, 0, 1), (4, 4, None)]
    assert machine.open[TWITTER].id != Machine(most_open=1).step(0, {TWITTER: judged("over")})[0].id


def test_the_id_is_that_of_rule_value_and_beginning(machine):
    (alert,) = machine.step(60, {TWITTER: judged("over")})
    (again,) = Machine(most_open=1).step(60, {TWITTER: judged("over", weight=9.0)})
    assert alert.id == again.id
    assert len({alert.id, *(Machine(most_open=1).step(60, {BLOG: judged("over")})[0].id,)}) == 2


def test_a_rule_that_is_gone_ends_its_alerts(machine):
    assert walk(machine, "over gone") == [(0, 0, None), (1, 0, 1)]


def test_one_that_goes_on_from_an_open_alert_says_nothing_twice(machine):
    """Minutes that are gone through again tell how long all was calm, and change nothing."""
    (alert,) = machine.step(0, {TWITTER: judged("over")})
    later = Machine(most_open=10, open_alerts=[alert])
    for minute in (1, 2, 3, 4):
        assert later.step(60 * minute, {TWITTER: judged("calm"), BLOG: judged("over")}, begin=False) == []
    (ended,) = later.step(300, {TWITTER: judged("calm")})
    assert (ended.id, ended.ended_at) == (alert.id, 60)


def test_of_too_many_those_begin_that_matter_most():
    machine = Machine(most_open=1)
    (alert,) = machine.step(0, {TWITTER: judged("over", 1.0), BLOG: judged("over", 2.0)})
    assert (alert.subject, machine.left_out) == (BLOG, 1)
