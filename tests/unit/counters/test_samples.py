import json
import random

import pytest

from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.event import Event, Signature
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.samples import KEPT_SECONDS, MOST_SAMPLES, Keeping, Kept, chance_of, stretch
from nifos_stream.settings import Settings

NOW = 1_777_777_777
CALENDAR = Calendar("Asia/Seoul")


def rules(latest=3, sample=4):
    return Rules.of(Settings(counters={"latest_posts": latest, "sample_posts": sample}))


def event(number, age=0.0, **origin):
    parts = {
        "id": str(number),
        "text": "숲",
        "sentiment": {"label": "negative"},
        "origin": {"topic": "posts", "partition": 0, "offset": number, "timestamp": 1, **origin},
    }
    return Event(NOW - age, True, NOW, Signature(0, "", "", (), "r"), (1, 0, 0), parts)


def keep(events, asked=None, bars=None, expired_by=NOW):
    keeping = Keeping(asked or rules(), CALENDAR, bars or {}, expired_by)
    for number, each in enumerate(events):
        keeping.add(each, number, json.dumps(each.parts).encode())
    return keeping.kept()


def ids(kept, name):
    found = (json.loads(kept.posts[number]) for number, _ in kept.samples[name].offered)
    return sorted(int(post[9]) for post in found)


def names(age=0):
    seconds = NOW - age
    return [f"sample:{length}:{stretch(CALENDAR, length, seconds)[0]}" for length in KEPT_SECONDS]


def test_the_latest_are_kept_as_they_came():
    kept = keep(map(event, range(10)), rules(sample=0))
    assert [json.loads(post)["id"] for post in kept.latest.splitlines()] == ["7", "8", "9"]
    assert (kept.posts, kept.samples) == ((), {})


def test_a_large_event_is_cut_before_it_is_kept():
    large = event(1)
    large.parts["text"] = "숲" * 3000
    post = keep([large], rules(sample=0)).latest
    assert len(json.loads(post)[10]) == 400
    assert json.loads(post)[10].endswith("숲…")


def test_those_with_the_least_chance_are_offered_in_any_order():
    events = [event(number) for number in range(50)]
    least = sorted(sorted(range(50), key=lambda number: chance_of(events[number], 0))[:4])
    random.Random(1).shuffle(events)
    kept = keep(events)
    assert [ids(kept, name) for name in names()] == [least] * 3
    assert list(kept.samples) == names()


def test_what_lies_above_the_bar_is_not_offered():
    events = [event(number) for number in range(50)]
    chances = sorted(chance_of(each, 0) for each in events)
    ten, hour, day = names()
    kept = keep(events, bars={ten: chances[1], hour: chances[0]})
    assert [len(kept.samples[name].offered) for name in (ten, day)] == [1, 4]
    assert hour not in kept.samples


@pytest.mark.parametrize(
    ("age", "lengths"), [(0, 3), (9000, 3), (9601, 2), (50 * 3600, 1), (14 * 86_400, 1), (17 * 86_400, 0)]
)
def test_a_late_event_is_kept_by_the_time_at_which_it_was_written(age, lengths):
    kept = keep([event(1, age)])
    assert list(kept.samples) == names(age)[3 - lengths :]
    assert all(sample.expires_at > NOW for sample in kept.samples.values())


def test_samples_are_bounded():
    keeping = keep([event(n, n * 60 - 600) for n in range(60_000 // 60 * 24)], rules(sample=1))
    assert len(keeping.samples) <= MOST_SAMPLES


def test_a_chance_is_decided_by_the_origin_alone():
    assert chance_of(event(1), 5) == chance_of(event(1, age=99), 7) < 2**48
    assert len({chance_of(each, 5) for each in (event(1), event(2), event(1, timestamp=2))}) == 3
    nowhere = event(1)._replace(parts={"origin": "unknown"})
    assert chance_of(nowhere, 5) != chance_of(nowhere, 6)


@pytest.mark.parametrize("every_milliseconds", [0, 1, 20, 1000])
def test_chances_are_spread_evenly(every_milliseconds):
    chances = [
        chance_of(event(number, timestamp=1_777_000_000_000 + number * every_milliseconds), 0) / 2**48
        for number in range(4000)
    ]
    for tenth in range(10):
        assert 320 < sum(tenth / 10 <= chance < (tenth + 1) / 10 for chance in chances) < 480


def test_it_is_written_as_the_script_reads_it():
    kept = keep([event(7)], rules())
    chance = chance_of(event(7), 0)
    plain = kept.to_plain(rules())
    assert plain[:2] == [3, 4]
    assert [sample[1] for sample in plain[2]] == [[1, chance]] * 3
    assert Kept().to_plain(rules()) == [3, 4, []]


def test_an_event_of_several_lines_becomes_one():
    keeping = Keeping(rules(sample=0), CALENDAR, {})
    keeping.add(event(1), 1, json.dumps(event(1).parts, indent=2).encode())
    keeping.add(event(2), 2, json.dumps(event(2).parts).encode())
    one, two = map(json.loads, keeping.kept().latest.splitlines())
    assert (one[9], two["id"]) == ("1", "2")
