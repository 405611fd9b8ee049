"""What a reading of the counts looks like. Knows neither Redis nor Kafka."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nifos_stream.messages import Label


@dataclass(frozen=True, slots=True)
class Count:
    """How many posts (or sentences) have each label."""

    negative: int = 0
    neutral: int = 0
    positive: int = 0

    @property
    def total(self) -> int:
        """All three together."""
        return self.negative + self.neutral + self.positive

    @property
    def net_sentiment(self) -> float | None:
        """(positive − negative) / total, from −1 to 1; None when nothing was counted."""
        return (self.positive - self.negative) / self.total if self.total else None

    def share(self, label: Label | str) -> float:
        """Part of the total that has `label`, from 0 to 1; 0 when nothing was counted."""
        count = self.of(label)
        return count / self.total if self.total else 0.0

    def of(self, label: Label | str) -> int:
        """How many have `label`."""
        return {
            Label.NEGATIVE: self.negative,
            Label.NEUTRAL: self.neutral,
            Label.POSITIVE: self.positive,
        }[Label(label)]

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.negative + other.negative, self.neutral + other.neutral, self.positive + other.positive
        )


@dataclass(frozen=True, slots=True)
class Point:
    """The count of one step of a series; `start` is aware, in the time zone of the counts."""

    start: dt.datetime
    count: Count


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a window, [start, end), with its groups; the fields are those of Window."""

    start: dt.datetime
    end: dt.datetime
    total: Count
    groups: Mapping[str, Count]
    other: Count


@dataclass(frozen=True, slots=True)
class Freshness:
    """How current the counts are.

    behind: labelled events not yet counted, None when nobody has said so of every partition. behind_seconds:
    age of the last moment at which every partition is known to have been level; None when that never was.
    backlog: posts not yet labelled, None when unknown. counted_since: labelling time of the first event
    counted; None before one was. rebuilding: part counted so far, 0 to 1, while what is read is still being
    filled; else None.
    """

    behind: int | None
    behind_seconds: float | None
    backlog: int | None
    counted_since: dt.datetime | None
    rebuilding: float | None


@dataclass(frozen=True, slots=True)
class Window:
    """The counts of [start, end), which was rounded outward to `grain`.

    grain: "10s", "1m", "1h", "1d", "month" or "year". step: the grain of `series`, in which the first and
    last point may be cut by start and end. groups: by value, largest first, of `by`; other: what had no
    place of its own among them, so with other.total > 0 the groups are lower bounds; under a filter it is
    that of all pairs, whatever their filtered part. sentences: counts of sentences; None where they are not
    counted (any filter but source). trends: posts at each point of `series`, of the values
    that were asked for.
    """

    start: dt.datetime
    end: dt.datetime
    grain: str
    step: str
    total: Count
    sentences: Count | None
    by: str | None
    groups: Mapping[str, Count]
    other: Count
    series: tuple[Point, ...]
    freshness: Freshness
    sentence_groups: Mapping[str, Count] = field(default_factory=dict)
    trends: Mapping[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Total:
    """The counts of all time; the fields are those of Window."""

    total: Count
    sentences: Count | None
    by: str | None
    groups: Mapping[str, Count]
    other: Count
    freshness: Freshness
    sentence_groups: Mapping[str, Count] = field(default_factory=dict)
