"""How much one call reads: what is asked of a bucket counts, not the bucket alone."""

import json

import pytest

from nifos_stream.counters.look import Look
from nifos_stream.counters.query import query
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.steps import _READ_COST, _WHOLE_COST, Stretch, calls
from nifos_stream.counters.store import Keys
from nifos_stream.settings import Settings

RULES = Rules.of(Settings())
STATE = ["named", "1", "1:offset", "0", "1:begin", "0", "1:rules", RULES.to_json()]
LOOK = Look.of(None, [(STATE, [], 1_000_000)], "UTC")
KEYS = Keys("p")
BUCKETS = [(f"1m:{60 * number}", number) for number in range(1000)]
PLAIN, BY_SOURCE = (query(RULES.dimensions, by, {}) for by in (None, "source"))


def read_by_each_call(*stretches):
    """Names of the buckets of every call; together they are all buckets in order."""
    found = [(named, json.loads(arguments[1])) for (_, *named), arguments in calls(KEYS, LOOK, stretches)]
    assert [name for named, _ in found for name in named] == [
        KEYS.bucket(0, 1, name) for stretch in stretches for name, _ in stretch.buckets
    ]
    assert all(len(named) == len(wanted["of"]) == len(wanted["points"]) for named, wanted in found)
    return [len(named) for named, _ in found]


@pytest.mark.parametrize(
    ("asked", "cost"),
    [
        ([PLAIN], 1),
        ([PLAIN] * 3, 3),
        ([BY_SOURCE], _WHOLE_COST),
        ([PLAIN, *[BY_SOURCE] * 3], 1 + 3 * _WHOLE_COST),
    ],
)
def test_a_call_reads_as_many_buckets_as_its_questions_leave_room_for(asked, cost):
    *full, last = read_by_each_call(Stretch(asked, BUCKETS))
    assert set(full) == {_READ_COST // cost}
    assert 0 < last <= _READ_COST // cost


def test_stretches_share_a_call_while_there_is_room():
    hour, before = Stretch([PLAIN, BY_SOURCE], BUCKETS[:70]), Stretch([PLAIN], BUCKETS[:100])
    assert hour.cost * 70 + 50 == _READ_COST
    assert read_by_each_call(hour, before) == [120, 50]


def test_a_bucket_of_which_more_is_asked_than_a_call_may_read_has_a_call_of_its_own():
    assert read_by_each_call(Stretch([BY_SOURCE] * _READ_COST, BUCKETS[:3])) == [1, 1, 1]
