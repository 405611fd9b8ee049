"""What is usual for a value at a time of the day: its counts of that hour on earlier days. Judges nothing.

The usual rate in an hour is the median over the days, so that what surged then does not raise it; between
the middles of two hours it goes in a straight line. How much days differ is the median absolute deviation
of both hours' counts, less what chance alone gives. Days on which nothing at all was counted in that hour,
and days before a value was first seen, are no days without posts: they are left out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import cast

from nifos_stream.alerts.numbers import DAY, EVERYTHING, HOUR, Numbers
from nifos_stream.counters.shapes import Count
from nifos_stream.settings.alerts import Metric

_MAD_TO_DEVIATION = 1.4826
_MEDIAN_TO_MEAN_VARIANCE = math.pi / 2
_LEAST_SPREAD = 0.05
"""Days differ by as much as that however alike the few were that are known."""
_COARSE = 3.0
"""Below this the median of counts is too coarse, and their mean is taken where it is more."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in a window.

    level: posts, or a part from 0 to 1. spread: from day to day, beyond chance, relative for posts. unsure:
    variance of `level`, in that of one window of this length. days: earlier days that it rests on.
    """

    level: float
    spread: float
    unsure: float
    days: int


@dataclass(frozen=True, slots=True)
class _Level:
    """One hour: the usual level, and of each day how far it was off. weight: usual posts of the hour."""

    level: float
    off: tuple[float, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class _Slope:
    """From the middle of one hour to that of the next."""

    left: float
    right: float
    spread: float
    days: int


@dataclass(slots=True)
class _Hour:
    """Counts of one hour on earlier days, newest day first; of days that count."""

    starts: list[int] = field(default_factory=list)
    counts: list[Mapping[str, Count]] = field(default_factory=list)
    slopes: dict[tuple[str, Metric], _Slope | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reads:
    """What is asked of one dimension. values: only these; None for any."""

    longest_window_seconds: int
    values: frozenset[str] | None = None

    def also(self, other: "Reads") -> "Reads":
        """What both ask."""
        both = None if self.values is None or other.values is None else self.values | other.values
        return Reads(max(self.longest_window_seconds, other.longest_window_seconds), both)

    def hours(self) -> int:
        """How many hours of a day a window may lie in, and the one after."""
        return -(-self.longest_window_seconds // HOUR) + 2

    def of(self, counts: Mapping[str, Count]) -> Mapping[str, Count]:
        """Those that are asked for."""
        if self.values is None:
            return counts
        return {value: count for value, count in counts.items() if value in self.values}


class History:
    """The usual levels of values, for one minute after another.

    days: how many earlier ones; min_days: the fewest that do. reads: by dimension, what will be asked of it;
    no more than that is remembered.
    """

    def __init__(self, numbers: Numbers, days: int, min_days: int, reads: Mapping[str, Reads]) -> None:
        self._numbers = numbers
        self._days = days
        self._min_days = min_days
        self._reads = reads
        self._hours: dict[str, dict[int, _Hour]] = {dimension: {} for dimension in reads}
        self._seen: dict[str, tuple[int, Mapping[str, int]]] = {}

    def hours_kept(self, dimension: str) -> int:
        """How many hours of a day are remembered."""
        return len(self._hours[dimension])

    def known(self, dimension: str, minute: int) -> Mapping[str, int]:
        """Values that have been seen for at least `min_days`, and since when."""
        hour = minute - minute % HOUR
        at, known = self._seen.get(dimension, (None, {}))
        if at != hour:
            seen = self._numbers.first_seen(dimension, hour - self._days * DAY, hour)
            latest = hour - self._min_days * DAY
            known = {name: day for name, day in seen.items() if day <= latest}
            self._seen[dimension] = hour, known
        return known

    def usual(self, dimension: str, value: str, metric: Metric, start: int, end: int) -> Usual | None:
        """What [start, end) usually has; None where too few days are known."""
        since = self.known(dimension, end).get(value)
        if since is None:
            return None
        # One reading in the middle of each half hour: levels go in straight lines between.
        pieces, length = max(1, round((end - start) / (HOUR / 2))), (end - start) / HOUR
        levels, days, spread = [], self._days, 0.0
        for place in range(pieces):
            middle = start + (place + 0.5) * (end - start) / pieces - HOUR / 2
            hour = int(middle // HOUR) * HOUR
            slope = self._slope(dimension, value, metric, hour, since)
            if slope is None:
                return None
            levels.append(slope.left + (slope.right - slope.left) * (middle - hour) / HOUR)
            days, spread = min(days, slope.days), max(spread, slope.spread)
        level = sum(levels) / pieces
        return Usual(
            level=level if metric.endswith("_share") else level * length,
            spread=spread,
            unsure=_MEDIAN_TO_MEAN_VARIANCE * min(length, 1.0) / days,
            days=days,
        )

    def _slope(self, dimension: str, value: str, metric: Metric, hour: int, since: int) -> _Slope | None:
        """Levels from the middle of `hour` to the middle of the next."""
        kept = self._hour(dimension, hour)
        if (value, metric) not in kept.slopes:
            left = self._level(dimension, value, metric, hour, since)
            right = self._level(dimension, value, metric, hour + HOUR, since)
            kept.slopes[value, metric] = (
                None if left is None or right is None else _slope_of(left, right, metric)
            )
        return kept.slopes[value, metric]

    def _level(self, dimension: str, value: str, metric: Metric, hour: int, since: int) -> _Level | None:
        kept = self._hour(dimension, hour)
        days = zip(kept.starts, kept.counts, strict=True)
        counts = [counts.get(value, Count()) for start, counts in days if start >= since]
        return _level_of(counts, metric) if len(counts) >= self._min_days else None

    def _hour(self, dimension: str, hour: int) -> _Hour:
        hours, reads = self._hours[dimension], self._reads[dimension]
        if hour not in hours:
            kept = _Hour()
            for day in range(1, self._days + 1):
                start = hour - day * DAY
                if EVERYTHING in self._numbers.window("all", start, start + HOUR):
                    kept.starts.append(start)
                    kept.counts.append(reads.of(self._numbers.window(dimension, start, start + HOUR)))
            hours[hour] = kept
            while len(hours) > reads.hours():
                del hours[min(hours)]
        return hours[hour]


def amount(count: Count, metric: Metric) -> int:
    """The posts that a metric counts; of a share, those that have its label."""
    name = "total" if metric == "posts" else metric.removesuffix("_share")
    return cast("int", getattr(count, name))


def _level_of(counts: Sequence[Count], metric: Metric) -> _Level:
    found, totals = [amount(count, metric) for count in counts], [count.total for count in counts]
    if metric.endswith("_share"):
        return _share_level(found, totals)
    # Half a post more in all: what was never seen is rare, not impossible.
    least = 0.5 / len(counts)
    level = max(float(median(found)), least)
    if level < _COARSE:
        level = max(level, fmean(found))
    return _Level(level, tuple(count / level - 1 for count in found), level)


def _share_level(found: Sequence[int], totals: Sequence[int]) -> _Level:
    posts = sum(totals)
    least = 0.5 / max(posts, 1)
    shares = [count / total for count, total in zip(found, totals, strict=True) if total]
    typical = median(shares) if shares and posts / len(totals) >= 10 else sum(found) / max(posts, 1)
    level = min(max(typical, least), 1 - least)
    off = tuple(count / total - level if total else 0.0 for count, total in zip(found, totals, strict=True))
    return _Level(level, off, posts / len(totals))


def _slope_of(left: _Level, right: _Level, metric: Metric) -> _Slope:
    share = (left.level + right.level) / 2 if metric.endswith("_share") else None
    spread = _spread((*left.off, *right.off), (left.weight + right.weight) / 2, share)
    return _Slope(left.level, right.level, spread, min(len(left.off), len(right.off)))


def _spread(off: Sequence[float], weight: float, share: float | None) -> float:
    """Deviation from day to day beyond that of chance: Poisson, or binomial where a share is given."""
    variance = 1.0 if share is None else share * (1 - share)
    floor = _LEAST_SPREAD * math.sqrt(variance)
    if weight < _COARSE:
        return floor
    deviation = _MAD_TO_DEVIATION * median(abs(value) for value in off)
    return max(floor, math.sqrt(max(0.0, deviation**2 - variance / weight)))
