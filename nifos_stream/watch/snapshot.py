"""What a watcher knows at one moment, and the reading of it from the counts. Draws nothing."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from nifos_stream.counters.reader import ALL_TIME, Ask, Counts, Moment, When
from nifos_stream.counters.shapes import Total, Window
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings

DIMENSIONS = ("source", "keyword")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts of one moment, all but `all_time` under the watcher's filter.

    at: that moment, by the clock of the counts; read_at: by that of this machine. before: the window that
    ends where this one begins, and is as long; None when that cannot be asked. minute: the last one.
    groups: windows by dimension, where that is counted, with trends: posts of each step, of the largest
    values.
    """

    asked: str
    at: dt.datetime
    read_at: dt.datetime
    window: Window
    before: Window | None
    minute: Window
    all_time: Total
    groups: Mapping[str, Window] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the window lasts up to now: its last bucket has only begun."""
        return _passed(self.window, self.at)

    @property
    def per_minute(self) -> float:
        """Posts per minute in the last one."""
        return 60 * self.minute.total.total / _passed(self.minute, self.at)


def _passed(window: Window, at: dt.datetime) -> float:
    return max(1.0, (min(window.end, at) - window.start).total_seconds())


def open_counts(settings: Settings) -> Counts:
    """A reader of the counts that the settings name."""
    return Counts(
        settings.redis.url.get_secret_value(),
        prefix=settings.counters.prefix,
        timezone=settings.timezone,
        timeout_seconds=settings.redis.timeout_seconds,
    )


class Watcher:
    """Reads snapshots, each in one round trip. `window` may be changed between them.

    rows: values per dimension that have a trend: the largest of the snapshot before. where: only posts with
    these values; the groups of a dimension are those of the other filters, so that another value can be
    chosen. start, end: as the reader has them; a stated start stands instead of the window.
    """

    def __init__(
        self,
        counts: Counts,
        window: str,
        *,
        rows: int = 12,
        dimensions: Sequence[str] = DIMENSIONS,
        where: Mapping[str, str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._counts = counts
        self._rows = rows
        self._dimensions = dimensions
        self._where = where or {}
        self._start = start
        self._end = end
        self._now = now
        self._largest: Mapping[str, Sequence[str]] | None = None
        self.window = window

    def snapshot(self) -> Snapshot:
        """The counts now. RedisAway when Redis does not answer; UserError when the window is none."""
        if self._largest is None:
            self._read()  # Else the first snapshot had no trends.
        return self._read()

    def _read(self) -> Snapshot:
        asked, where = self.window, self._where
        when = When(asked, self._start, self._end, compared=True)
        found = self._counts.together(
            [
                Ask(when, where=where),
                Ask(When(asked, self._start, self._end, before=True), where=where),
                Ask(When("1m"), where=where),
                Ask(ALL_TIME),
                *(self._by(when, dimension) for dimension in self._dimensions),
            ]
        )
        window, before, minute, all_time, *groups = found.answers
        for refused in (window, minute, all_time):
            if isinstance(refused, UserError):
                raise refused
        by = {
            dimension: group
            for dimension, group in zip(self._dimensions, groups, strict=True)
            if isinstance(group, Window)  # Else this dimension is not counted.
        }
        self._largest = {name: list(group.groups)[: self._rows] for name, group in by.items()}
        return Snapshot(
            asked=asked,
            at=found.at,
            read_at=self._now(),
            window=cast("Window", window),
            before=before if isinstance(before, Window) else None,
            minute=cast("Window", minute),
            all_time=cast("Total", all_time),
            groups=by,
        )

    def _by(self, when: When, dimension: str) -> Ask:
        where = {name: value for name, value in self._where.items() if name != dimension}
        return Ask(when, dimension, where, trends=(self._largest or {}).get(dimension, ()))
