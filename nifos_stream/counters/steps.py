"""Buckets as Redis has them: added up over a window, or for each of its steps. Knows no date."""

from collections.abc import Iterator, Sequence
from typing import Any

from nifos_stream.counters.connect import RedisClient
from nifos_stream.counters.look import Look, Moved
from nifos_stream.counters.query import Query
from nifos_stream.counters.store import Keys, script
from nifos_stream.counters.sums import Sums

_READ_KEYS = {False: 400, True: 100}
"""Buckets that one call adds up: whole buckets are large, and Redis does nothing else meanwhile."""
_ROUND_TRIP_CALLS = 500

Bucket = tuple[str, int]
"""Name of a bucket, and the step of the series that it belongs to."""


def read_sums(client: RedisClient, keys: Keys, look: Look, asked: Query, pieces: Sequence[Bucket]) -> Sums:
    """Add up the buckets over all partitions; Moved when another generation is read by now."""
    sums = Sums()
    for answer in _read(client, list(_calls(keys, look, asked, pieces))):
        sums.add(answer)
    return sums


def read_steps(
    client: RedisClient, keys: Keys, look: Look, asked: Query, pieces: Sequence[Bucket], steps: int
) -> list[Sums]:
    """The same for each of so many steps by itself."""
    by_step: list[list[Bucket]] = [[] for _ in range(steps)]
    for piece in pieces:
        by_step[piece[1]].append(piece)
    calls = [(step, call) for step, some in enumerate(by_step) for call in _calls(keys, look, asked, some)]
    sums = [Sums() for _ in range(steps)]
    for first in range(0, len(calls), _ROUND_TRIP_CALLS):
        some_calls = calls[first : first + _ROUND_TRIP_CALLS]
        answers = _read(client, [call for _, call in some_calls])
        for (step, _), answer in zip(some_calls, answers, strict=True):
            sums[step].add(answer)
    return sums


_Call = tuple[list[str], list[Any]]


def _calls(keys: Keys, look: Look, asked: Query, pieces: Sequence[Bucket]) -> Iterator[_Call]:
    most = _READ_KEYS[bool(asked.group)]
    for partition, state in look.states.items():
        if state.read is None:
            continue
        generation = state.read.number
        for first in range(0, len(pieces), most):
            chunk = pieces[first : first + most]
            buckets = [keys.bucket(partition, generation, name) for name, _ in chunk]
            points = asked.to_json([point for _, point in chunk])
            yield [keys.state(partition), *buckets], [generation, points]


def _read(client: RedisClient, calls: Sequence[_Call]) -> list[Any]:
    answers = script("read").each(client, calls)
    if any(answer[0] != "read" for answer in answers):
        raise Moved
    return answers
