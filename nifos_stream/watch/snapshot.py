"""What a watcher knows at one moment, and the reading of it from the counts. Draws nothing."""

import datetime as dt
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from nifos_stream.counters.reader import Counts, Moment, RedisAway
from nifos_stream.counters.shapes import Total, Window
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from nifos_stream.watch.tables import totals

_Answer = TypeVar("_Answer")
DIMENSIONS = ("source", "keyword")
SLOW_SECONDS = 5.0
"""What changes slowly (trends, the window before) is read this often; all else at every snapshot."""
_KEPT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts of one moment, all but `all_time` under the watcher's filter.

    before: the window of the same length before this one; None when that cannot be asked. a_minute: posts of
    the last minute. groups: windows by dimension, where that is counted. trends: posts of each step, by
    dimension and value.
    """

    asked: str
    read_at: dt.datetime
    window: Window
    before: Window | None
    a_minute: int
    all_time: Total
    groups: Mapping[str, Window]
    trends: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)


def open_counts(settings: Settings) -> Counts:
    """A reader of the counts that the settings name."""
    return Counts(
        settings.redis.url.get_secret_value(),
        prefix=settings.counters.prefix,
        timezone=settings.timezone,
        timeout_seconds=settings.redis.timeout_seconds,
    )


class Watcher:
    """Reads snapshots. `window` may be changed between them.

    rows: values per dimension that have a trend. trends_at_once: most trends that one snapshot reads, oldest
    first, so that some are missing at the beginning. where: only posts with these values; the groups of a
    dimension are those of the other filters, so that another value can be chosen. start, end: as the reader
    has them; a stated start stands instead of the window.
    """

    def __init__(
        self,
        counts: Counts,
        window: str,
        *,
        rows: int = 12,
        trends_at_once: int | None = None,
        dimensions: Sequence[str] = DIMENSIONS,
        where: Mapping[str, str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts = counts
        self._rows = rows
        self._trends_at_once = trends_at_once
        self._dimensions = dimensions
        self._where = where or {}
        self._start = start
        self._end = end
        self._now = now
        self._monotonic = monotonic
        self._slow: dict[tuple[str, ...], tuple[float, object]] = {}
        self.window = window

    def snapshot(self) -> Snapshot:
        """The counts now. RedisAway when Redis does not answer; UserError when the window is none."""
        asked = self.window
        window = self._read(asked)
        groups = {dimension: found for dimension in self._dimensions if (found := self._by(asked, dimension))}
        return Snapshot(
            asked=asked,
            read_at=self._now(),
            window=window,
            before=self._slowly(("before", asked), lambda: self._before(window)),
            a_minute=self._counts.window("1m", where=self._where).total.total,
            all_time=self._counts.total(),
            groups=groups,
            trends=self._trends(asked, groups),
        )

    def _by(self, asked: str, dimension: str) -> Window | None:
        try:
            return self._read(asked, dimension, self._without(dimension))
        except RedisAway:
            raise
        except UserError:
            return None  # This dimension is not counted.

    def _before(self, window: Window) -> Window | None:
        try:
            start = window.start - (window.end - window.start)
            return self._counts.window(start=start, end=window.start, where=self._where)
        except RedisAway:
            raise
        except UserError:
            return None

    def _trends(
        self, asked: str, groups: Mapping[str, Window]
    ) -> Mapping[str, Mapping[str, Sequence[float]]]:
        wanted = [
            (asked, dimension, value)
            for dimension, found in groups.items()
            for value in list(found.groups)[: self._rows]
        ]
        at = self._monotonic()
        read_at = {key: self._slow[key][0] if key in self._slow else -math.inf for key in wanted}
        due = [key for key in sorted(wanted, key=read_at.__getitem__) if at - read_at[key] >= SLOW_SECONDS]
        for key in due[: self._trends_at_once]:
            self._slow[key] = (at, self._trend(*key))
        trends: dict[str, dict[str, Sequence[float]]] = {dimension: {} for dimension in groups}
        for key in wanted:
            if key in self._slow:
                trends[key[1]][key[2]] = cast("Sequence[float]", self._slow[key][1])
        return trends

    def _trend(self, asked: str, dimension: str, value: str) -> Sequence[float]:
        return totals(self._read(asked, None, {**self._without(dimension), dimension: value}).series)

    def _read(self, asked: str, by: str | None = None, where: Mapping[str, str] | None = None) -> Window:
        filters = self._where if where is None else where
        return self._counts.window(asked, by=by, where=filters, start=self._start, end=self._end)

    def _without(self, dimension: str) -> dict[str, str]:
        return {name: value for name, value in self._where.items() if name != dimension}

    def _slowly(self, key: tuple[str, ...], read: Callable[[], _Answer]) -> _Answer:
        at = self._monotonic()
        self._slow = {name: kept for name, kept in self._slow.items() if at - kept[0] < _KEPT_SECONDS}
        if key not in self._slow or at - self._slow[key][0] >= SLOW_SECONDS:
            self._slow[key] = (at, read())
        return cast("_Answer", self._slow[key][1])
