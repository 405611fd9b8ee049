"""Counts by minute that lie in memory, as Numbers: of a file, or of a topic that was read. Reads neither."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from nifos_stream.alerts.numbers import DAY, EVERYTHING, HOUR, MINUTE
from nifos_stream.counters.shapes import Count

_Sums = dict[str, list[int]]


@dataclass(slots=True)
class _Sliding:
    """The last window of one length that was asked for."""

    start: int
    end: int
    sums: _Sums


@dataclass(slots=True)
class _Series:
    minutes: dict[int, _Sums] = field(default_factory=dict)
    hours: dict[int, _Sums] = field(default_factory=dict)
    days: dict[str, list[int]] = field(default_factory=dict)
    """Of each value the days with posts, in order."""
    sliding: dict[int, _Sliding] = field(default_factory=dict)


class Recorded:
    """A recorded series. Windows that move on minute by minute cost what is added and dropped."""

    def __init__(self) -> None:
        self._series: defaultdict[str, _Series] = defaultdict(_Series)
        self.start: int | None = None
        self.end: int | None = None

    def add(self, seconds: float, count: Count, values: Mapping[str, tuple[str, ...]]) -> None:
        """Count posts of the minute that `seconds` lies in. values: by dimension, beside `all`."""
        minute = int(seconds // MINUTE) * MINUTE
        self.start = minute if self.start is None else min(self.start, minute)
        self.end = minute + MINUTE if self.end is None else max(self.end, minute + MINUTE)
        for dimension, names in {"all": (EVERYTHING,), **values}.items():
            series = self._series[dimension]
            for name in names:
                for kept, begin in ((series.minutes, minute), (series.hours, minute - minute % HOUR)):
                    _grow(kept.setdefault(begin, {}), name, count, 1)
                _note(series.days.setdefault(name, []), minute - minute % DAY)

    def dimensions(self) -> frozenset[str]:
        """The dimensions that were added."""
        return frozenset(self._series)

    def values(self) -> int:
        """How many values were added, over all dimensions."""
        return sum(len(series.days) for series in self._series.values())

    def window(self, dimension: str, start: int, end: int) -> Mapping[str, Count]:
        """The posts of [start, end) by value."""
        series = self._series.get(dimension)
        if series is None:
            return {}
        if start % HOUR == 0 and end == start + HOUR:
            sums = series.hours.get(start, {})
        else:
            sums = self._slide(series, start, end)
        return {name: Count(*numbers) for name, numbers in sums.items() if any(numbers)}

    def first_seen(self, dimension: str, start: int, end: int) -> Mapping[str, int]:
        """Values with posts in [start, end), rounded to days, and the day of the first of these."""
        series, seen = self._series.get(dimension, _Series()), {}
        for name, days in series.days.items():
            place = bisect_left(days, start - start % DAY)
            if place < len(days) and days[place] < end:
                seen[name] = max(days[place], start)
        return seen

    def _slide(self, series: _Series, start: int, end: int) -> _Sums:
        known = series.sliding.get(end - start)
        if known is None or not known.start <= start < known.end:
            known = series.sliding[end - start] = _Sliding(start, start, {})
        for begin, stop, sign in ((known.end, end, 1), (known.start, start, -1)):
            for minute in range(begin, stop, MINUTE):
                for name, numbers in series.minutes.get(minute, {}).items():
                    _grow(known.sums, name, Count(*numbers), sign)
        known.start, known.end = start, end
        return known.sums


def _note(days: list[int], day: int) -> None:
    """Put a day in its place, once; mostly it is the last."""
    if not days or days[-1] < day:
        days.append(day)
    elif days[-1] != day and days[(place := bisect_left(days, day))] != day:
        days.insert(place, day)


def _grow(sums: _Sums, name: str, count: Count, sign: int) -> None:
    held = sums.get(name)
    if held is None:
        held = sums[name] = [0, 0, 0]
    held[0] += sign * count.negative
    held[1] += sign * count.neutral
    held[2] += sign * count.positive
