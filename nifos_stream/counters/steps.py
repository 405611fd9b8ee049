"""Buckets as Redis has them: the calls that add them up, and what these answer. Knows no date."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nifos_stream.counters.connect import RedisClient
from nifos_stream.counters.look import Call, Look, read_parts
from nifos_stream.counters.query import Query
from nifos_stream.counters.store import Keys, script
from nifos_stream.counters.sums import Sums

_READ_COST = 400
"""What one call reads, in buckets looked into for one question: Redis does nothing else meanwhile."""
_WHOLE_COST = 4
"""What a bucket costs of which a question looks at every value: such are large."""
_ROUND_TRIP_STEPS = 100
"""Each call carries what is asked of all steps of its round trip, and answers for each of them."""

Bucket = tuple[str, int]
"""Name of a bucket, and the step of the series that it belongs to."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Buckets, and all that is asked of them. trends: by place in `asked`, values wanted step by step."""

    asked: Sequence[Query]
    buckets: Sequence[Bucket]
    trends: Mapping[int, Sequence[str]] = field(default_factory=dict)

    @property
    def cost(self) -> int:
        """Of each of its buckets: everything that is asked looks into it by itself."""
        return sum(_WHOLE_COST if asked.group else 1 for asked in self.asked)


def read_steps(
    client: RedisClient, keys: Keys, look: Look, asked: Query, buckets: Sequence[Bucket], steps: int
) -> list[Sums]:
    """The buckets of each of so many steps, added up over all partitions. Moved."""
    by_step: list[list[Bucket]] = [[] for _ in range(steps)]
    for bucket in buckets:
        by_step[bucket[1]].append(bucket)
    sums: list[Sums] = []
    for first in range(0, steps, _ROUND_TRIP_STEPS):
        stretches = [Stretch([asked], some) for some in by_step[first : first + _ROUND_TRIP_STEPS]]
        answers = script("read").each(client, list(calls(keys, look, stretches)))
        sums += [of_one for (of_one,) in added(stretches, read_parts(answers))]
    return sums


def calls(keys: Keys, look: Look, stretches: Sequence[Stretch]) -> Iterator[Call]:
    """The calls that read the stretches of every partition, each bucket once for all that is asked of it."""
    plain: list[dict[str, object]] = []
    places: list[list[int]] = []
    for stretch in stretches:
        places.append(list(range(len(plain), len(plain) + len(stretch.asked))))
        plain += [asked.to_plain(stretch.trends.get(n, ())) for n, asked in enumerate(stretch.asked)]
    chunks = list(_chunks(stretches))
    for partition, state in look.states.items():
        if state.read is None:
            continue
        generation = state.read.number
        for chunk in chunks:
            named = [keys.bucket(partition, generation, name) for _, (name, _) in chunk]
            wanted = {
                "asks": plain,
                "stretches": places,
                "of": [number for number, _ in chunk],
                "points": [point for _, (_, point) in chunk],
            }
            yield [keys.state(partition), *named], [generation, json.dumps(wanted, ensure_ascii=False)]


def added(stretches: Sequence[Stretch], answers: Sequence[Sequence[Any]]) -> list[list[Sums]]:
    """What the calls read, added up: for each stretch, for each thing asked of it."""
    sums = [[Sums() for _ in stretch.asked] for stretch in stretches]
    flat = [each for some in sums for each in some]
    for parts in answers:
        for each, part in zip(flat, parts, strict=True):
            each.add(part)
    return sums


def _chunks(stretches: Sequence[Stretch]) -> Iterator[list[tuple[int, Bucket]]]:
    """Every bucket with the number of its stretch, as many at once as one call may read."""
    chunk: list[tuple[int, Bucket]] = []
    cost = 0
    for number, stretch in enumerate(stretches):
        for bucket in stretch.buckets:
            if chunk and cost + stretch.cost > _READ_COST:
                yield chunk
                chunk, cost = [], 0
            chunk.append((number, bucket))
            cost += stretch.cost
    if chunk:
        yield chunk
