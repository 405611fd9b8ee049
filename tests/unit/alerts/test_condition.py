"""Health and the log say it when nothing was evaluated for long, and why."""

import pytest

from nifos_stream.alerts.condition import Condition
from nifos_stream.counters.connect import LoginRefused, RedisAway


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def condition(clock):
    return Condition(lambda: clock[0])


def caused_by(error):
    """As whoever evaluates says it."""
    said = RuntimeError(str(error))
    said.__cause__ = error
    return said


def test_a_short_trouble_is_told_as_it_is(condition):
    condition.hindered(ValueError("The counts are half rebuilt."))
    assert (condition.health.ok, condition.health.detail) == (True, "The counts are half rebuilt.")


@pytest.mark.parametrize(
    ("why", "ok"),
    [
        (ValueError("Counts by 1m are not kept so far back."), False),
        (RedisAway("Redis did not answer."), True),
        (caused_by(RedisAway("Redis did not answer.")), True),
        (LoginRefused("Redis refused the password."), False),
        (caused_by(LoginRefused("Redis refused the password.")), False),
        ("waiting for the counts, which are behind", True),
    ],
)
def test_what_lasts_is_told_with_how_long_and_is_red_where_it_mends_by_no_waiting(condition, clock, why, ok):
    condition.hindered(why)
    clock[0] = 1200.0
    condition.hindered(why)
    assert condition.health.ok is ok
    assert condition.health.detail == f"no rule was evaluated for 20 min: {why}"
    condition.goes_on("evaluating")
    condition.hindered(why)
    assert (condition.health.ok, condition.health.detail) == (True, str(why))


def test_one_kind_of_trouble_after_another_is_one_time(condition, clock):
    condition.hindered("waiting for the counts, which are behind")
    clock[0] = 400.0
    condition.hindered(RedisAway("Redis did not answer."))
    clock[0] = 700.0
    condition.hindered(RedisAway("Redis did not answer."))
    assert condition.health.detail == "no rule was evaluated for 12 min: Redis did not answer."
