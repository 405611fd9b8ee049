import json
import random

import pytest

from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.event import Event, Signature
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.tally import Spelling, Tally
from nifos_stream.settings import Settings

NOON = 1_777_777_200
RULES = Rules.of(Settings())
CALENDAR = Calendar(RULES.timezone)


def event(time=NOON, label=0, source="", channel="", keywords=(), revision="r1", sentences=(1, 0, 0)):
    return Event(time, True, NOON, Signature(label, source, channel, keywords, revision), sentences)


def tallied(events):
    tally = Tally(RULES, CALENDAR)
    for one in events:
        tally.add(one)
    return tally


def spelled(events, rules=RULES, expired_by=0):
    buckets = tallied(events).buckets(expired_by)
    return dict(zip(buckets, json.loads(Spelling(rules).to_json(buckets)), strict=True))


def test_an_event_counts_in_every_grain_and_in_all():
    found = spelled([event(NOON + 3723.5, sentences=(1, 2, 3))])
    day = CALENDAR.start("1d", NOON)
    assert list(found) == [
        "total",
        f"10s:{NOON + 3720}",
        f"1m:{NOON + 3720}",
        f"1h:{NOON + 3600}",
        f"1d:{day}",
    ]
    assert found["total"][:3] == [0, [1, 0, 0], [1, 2, 3]]
    assert found[f"1d:{day}"][0] == day + 86_400 + RULES.retention_seconds["1d"]


def test_dimensions_and_pairs_are_counted_by_value():
    _, _, _, dimensions = spelled([event(label=2, source="s", channel="c", keywords=("a", "b"))])["total"]
    assert dict(map(tuple, dimensions)) == {
        "source": [["s", 0, 0, 0, 1, 1, 0, 0]],
        "channel": [["c", 0, 0, 0, 1]],
        "keyword": [["a", 0, 0, 0, 1], ["b", 0, 0, 0, 1]],
        "revision": [["r1", 0, 0, 0, 1]],
        "source*keyword": [["s*a", 0, 0, 0, 1], ["s*b", 0, 0, 0, 1]],
        "channel*keyword": [["c*a", 0, 0, 0, 1], ["c*b", 0, 0, 0, 1]],
    }


def test_named_values_are_marked():
    rules = Rules.of(Settings(counters={"always_values": {"source": ["s"]}}))
    _, _, _, dimensions = spelled([event(source="s"), event(source="t")], rules)["total"]
    assert [value[:2] for value in dict(map(tuple, dimensions))["source"]] == [["s", 1], ["t", 0]]


def test_values_stand_in_the_order_of_their_offsets():
    rng = random.Random(5)
    events = [
        event(NOON + rng.random() * 7200, rng.randrange(3), f"s{rng.randrange(40)}") for _ in range(300)
    ]
    for name, (_, _, _, dimensions) in spelled(events).items():
        grain, _, start = name.partition(":")
        inside = [
            one.signature.source
            for one in events
            if grain == "total" or CALENDAR.start(grain, int(one.time)) == int(start)
        ]
        assert [value[0] for value in dict(map(tuple, dimensions))["source"]] == list(dict.fromkeys(inside))


def test_many_events_add_up():
    rng = random.Random(6)
    events = [event(label=rng.randrange(3), sentences=(3, 0, 1)) for _ in range(1000)]
    _, posts, sentences, _ = spelled(events)["total"]
    assert posts == [sum(one.signature.label == label for one in events) for label in range(3)]
    assert sentences == [3000, 0, 1000]


def test_what_redis_would_drop_at_once_is_left_out():
    found = spelled([event(NOON), event(NOON - 400 * 86_400)], expired_by=NOON)
    assert sum(name.startswith("10s:") for name in found) == 1
    assert sum(name.startswith("1d:") for name in found) == 2
    assert found["total"][1] == [2, 0, 0]


def test_nothing_is_spelled_as_nothing():
    assert spelled([]) == {}


def test_the_first_labelling_is_remembered_and_disbelief_counted():
    tally = tallied([event()._replace(labelled_at=7.0), event()._replace(labelled_at=5.0, believed=False)])
    assert (tally.since, tally.events, tally.not_believed) == (7.0, 2, 1)


@pytest.mark.parametrize(("values", "full"), [(100, False), (20_000, True)])
def test_a_flood_of_values_makes_a_batch_full(values, full):
    assert tallied(event(source=str(n)) for n in range(values)).full is full
