import pytest

from nifos_stream.counters.generations import PartitionState
from nifos_stream.counters.look import Look, Mixed
from nifos_stream.counters.rules import Rules
from nifos_stream.settings import Settings

RULES = Rules.of(Settings())


def state(position, named=1, **facts):
    fields = {"named": str(named), f"{named}:offset": str(position), f"{named}:begin": "0"}
    fields[f"{named}:rules"] = RULES.to_json()
    fields |= {f"{named}:{name}": str(value) for name, value in facts.items()}
    return [part for item in fields.items() for part in item]


def ends(*stored):
    return [part for end, seconds in stored for part in (str(end), str(seconds * 1000))]


def look(*partitions, now=1000.0, backlog=None):
    return Look.of(backlog, [(*one, int(now * 1000)) for one in partitions], "UTC").freshness()


def test_a_partition_is_level_as_of_the_newest_end_that_it_reached():
    fresh = look((state(50), ends((40, 990), (50, 995), (60, 999))))
    assert fresh.behind == 10
    assert fresh.behind_seconds == 5


def test_the_oldest_partition_decides():
    fresh = look((state(50), ends((50, 999))), (state(7), ends((7, 400), (9, 999))))
    assert fresh.behind == 2
    assert fresh.behind_seconds == 600


def test_what_waits_is_unknown_until_someone_has_said_where_each_partition_ends():
    """Nobody owns the second partition of an emptied Redis yet: 0 would say that all was counted."""
    assert look((state(50), ends((50, 999))), ([], [])).behind is None
    assert look().behind is None


def test_a_dead_view_looks_old():
    assert look((state(50), ends((50, 400)))).behind_seconds == 600


def test_without_a_known_level_there_is_no_age():
    assert look((state(5), ends((9, 999)))).behind_seconds is None
    assert look((state(5), ends((5, 999))), ([], [])).behind_seconds is None
    assert look().behind_seconds is None


def test_what_is_read_while_it_fills_says_how_far_it_is():
    filling = (state(50, until=100), []), (state(80, until=80), [])
    assert look(*filling).rebuilding == pytest.approx(130 / 180)
    assert look((state(100, until=100), [])).rebuilding is None
    assert look((state(3), [])).rebuilding is None


def test_counts_say_since_when_they_count():
    fresh = look(
        (state(5, since=900.5), []), (state(5, since=800.25), []), (state(0), []), backlog="12 999000"
    )
    assert fresh.counted_since.timestamp() == 800.25
    assert fresh.backlog == 12
    assert look((state(0), [])).counted_since is None


def test_a_backlog_that_nobody_measures_any_more_is_not_known():
    assert look((state(0), []), backlog="312 990000").backlog == 312
    assert look((state(0), []), backlog="312 980000").backlog is None
    assert look((state(0), []), backlog="312").backlog is None


def test_days_are_those_of_the_counts_and_before_there_are_any_those_of_the_reader():
    assert Look.of(None, [([], [], 0)], "Europe/Berlin").rules.timezone == "Europe/Berlin"
    assert Look.of(None, [(state(5), [], 0)], "Europe/Berlin").rules.timezone == "Asia/Seoul"


def test_a_generation_without_an_offset_is_not_read():
    buried = PartitionState.of({"named": "3", "3:begin": "0", "2:offset": "7"})
    assert buried.read is None
    assert set(buried.generations) == {2, 3}


def test_partitions_that_are_counted_by_different_rules_are_not_added_up():
    """The rules of the first would read wrong numbers from the rest."""
    halves = (state(5, fingerprint="new"), []), (state(5, fingerprint="old"), [])
    with pytest.raises(Mixed, match=r"half rebuilt .*counters rebuild"):
        look(*halves)
    look(halves[0], halves[0], ([], []))
