"""Counts of many buckets and partitions, added up. Knows no Redis, only what `read.lua` answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nifos_stream.counters import fields
from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.shapes import Count, Point
from nifos_stream.counters.windows import Span, Windows


@dataclass(slots=True)
class Sums:
    """Answers of `read.lua`, added up."""

    points: dict[int, list[int]] = field(default_factory=dict)
    sentences: list[int] = field(default_factory=lambda: [0, 0, 0])
    other: list[int] = field(default_factory=lambda: [0, 0, 0])
    groups: dict[str, list[int]] = field(default_factory=dict)
    sentence_groups: dict[str, list[int]] = field(default_factory=dict)
    trends: dict[str, dict[int, int]] = field(default_factory=dict)

    def add(self, answer: Sequence[Any]) -> None:
        """Add what one call read for one question."""
        points, sentences, other, groups, sentence_groups, trends = answer
        for point, *counts in _fours(points):
            _grow(self.points.setdefault(int(point), [0, 0, 0]), counts)
        _grow(self.sentences, sentences)
        _grow(self.other, other)
        for named, found in ((self.groups, groups), (self.sentence_groups, sentence_groups)):
            for value, *counts in _fours(found):
                _grow(named.setdefault(fields.read(value), [0, 0, 0]), counts)
        for value, point, count in zip(trends[::3], trends[1::3], trends[2::3], strict=True):
            trend = self.trends.setdefault(fields.read(value), {})
            trend[int(point)] = trend.get(int(point), 0) + int(count)

    def total(self) -> Count:
        """All points together."""
        return count_of([sum(column) for column in zip(*self.points.values(), strict=True)] or [0, 0, 0])


def series(windows: Windows, calendar: Calendar, span: Span, sums: Sums) -> tuple[Point, ...]:
    """Every step of the span, those without posts, too."""
    nothing = [0, 0, 0]
    return tuple(
        Point(calendar.moment(begin), count_of(sums.points.get(index, nothing)))
        for index, begin in enumerate(windows.points(span))
    )


def by_size(groups: Mapping[str, list[int]]) -> dict[str, Count]:
    """Largest first, then by name."""
    found = {value: count_of(counts) for value, counts in groups.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1].total, item[0])))


def count_of(counts: Sequence[int]) -> Count:
    """From three numbers in the order of LABELS."""
    return Count(*(int(count) for count in counts))


def _grow(sums: list[int], counts: Sequence[int]) -> None:
    for index, count in enumerate(counts):
        sums[index] += int(count)


def _fours(flat: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    return zip(flat[::4], flat[1::4], flat[2::4], flat[3::4], strict=True)
