"""What Redis says of all partitions, and how current their counts are. Knows no connection and no bucket."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from zoneinfo import ZoneInfo

from nifos_stream.counters.generations import PartitionState
from nifos_stream.counters.rules import PAIRS, SINGLE, Rules
from nifos_stream.counters.shapes import Freshness
from nifos_stream.errors import Refusal, UserError
from nifos_stream.settings import RetentionSettings

BACKLOG_SECONDS = 15.0
"""How long a backlog is believed: whoever measures it does so each second."""


class Mixed(UserError):
    """Partitions are counted by different rules, so that their counts cannot be added up."""


class Moved(Exception):
    """Another generation is read than the one that was asked."""


Call = tuple[list[str], list[Any]]
"""Keys and arguments of a script that reads of one generation of a partition."""


def read_parts(answers: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """What each call read. Moved."""
    if any(what != "read" for what, *_ in answers):
        raise Moved
    return [parts for _, *parts in answers]


@dataclass(frozen=True, slots=True)
class Look:
    """What Redis says before any bucket is read. ends: (end, seconds), oldest first, by partition."""

    states: Mapping[int, PartitionState]
    ends: Mapping[int, list[tuple[int, float]]]
    backlog: int | None
    now: float
    rules: Rules

    @classmethod
    def of(cls, backlog: str | None, answers: Sequence[Any], timezone: str) -> Self:
        """From the stored backlog, and what `state.lua` answers for each partition from 0 on.

        timezone: of the days while nothing is counted, as counts have their own zone. Mixed when the
        partitions are counted by different rules.
        """
        states, ends, now = {}, {}, 0.0
        for partition, (state, stored, now_ms) in enumerate(answers):
            states[partition] = PartitionState.of(dict(_pairs(state)))
            ends[partition] = [(int(end), float(at) / 1000) for end, at in _pairs(stored)]
            now = max(now, int(now_ms) / 1000)
        now = now or dt.datetime.now(dt.UTC).timestamp()
        read = [state.read for state in states.values() if state.read]
        if len({generation.fingerprint for generation in read}) > 1:
            said = "The counts are half rebuilt with other settings; run `nifos-stream counters rebuild`."
            raise Mixed(said, Refusal.HALF_REBUILT)
        return cls(
            states,
            ends,
            _believed(backlog, now),
            now,
            Rules.from_json(read[0].rules) if read else _nothing_counted(timezone),
        )

    def is_read_as(self, other: "Look") -> bool:
        """The same is counted, and the same generation of every partition is read."""
        return self.rules == other.rules and self.generations == other.generations

    @property
    def generations(self) -> dict[int, int | None]:
        """Which generation of each partition is read; None where nothing is counted."""
        return {
            partition: None if state.read is None else state.read.number
            for partition, state in self.states.items()
        }

    def freshness(self) -> Freshness:
        """A partition is level as of the newest stored time whose end its position has reached by now."""
        waiting, level_at, done, whole = [], [], 0, 0
        filling, since = False, []
        for partition, state in self.states.items():
            read, ends = state.read, self.ends[partition]
            position = read.position or 0 if read else 0
            if ends:
                waiting.append(max(0, ends[-1][0] - position))
            if reached := [at for end, at in ends if read and end <= position]:
                level_at.append(reached[-1])
            if read and read.since is not None:
                since.append(read.since)
            if read and read.until is not None:
                filling = filling or position < read.until
                done += min(position, read.until) - read.begin
                whole += read.until - read.begin
        partitions = len(self.states) or None
        return Freshness(
            behind=sum(waiting) if len(waiting) == partitions else None,
            behind_seconds=max(0.0, self.now - min(level_at)) if len(level_at) == partitions else None,
            backlog=self.backlog,
            counted_since=dt.datetime.fromtimestamp(min(since), ZoneInfo(self.rules.timezone))
            if since
            else None,
            rebuilding=done / whole if filling and whole else None,
        )


def _believed(backlog: str | None, now: float) -> int | None:
    posts, _, at_ms = (backlog or "").partition(" ")
    return int(posts) if at_ms and now - int(at_ms) / 1000 <= BACKLOG_SECONDS else None


def _pairs(flat: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _nothing_counted(timezone: str) -> Rules:
    return Rules(
        dimensions=(*SINGLE, *PAIRS),
        retention_seconds=RetentionSettings().seconds(),
        max_values=1,
        always_values={},
        timezone=timezone,
        future_tolerance_seconds=0.0,
    )
