"""Read the counts from Redis: any window, by any dimension that is counted, and how current they are."""

import dataclasses
import datetime as dt
import math
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

from nifos_stream.counters import connect
from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.connect import RedisAway
from nifos_stream.counters.kept import Latest, Parsed, Sample, read_latest, read_sample
from nifos_stream.counters.look import Look, Mixed, Moved
from nifos_stream.counters.posts import KeptPost
from nifos_stream.counters.query import Query, query
from nifos_stream.counters.shapes import Count, Freshness, Point, Step, Total, Window
from nifos_stream.counters.steps import read_steps, read_sums
from nifos_stream.counters.store import Keys, script
from nifos_stream.counters.sums import Sums, by_size, count_of, series
from nifos_stream.counters.tally import TOTAL
from nifos_stream.counters.wanted import EVERY, Filter
from nifos_stream.counters.windows import Span, Windows, instant, seconds_of

_Answer = TypeVar("_Answer")
Moment = str | dt.datetime | dt.date | float

__all__ = [
    "Count",
    "Counts",
    "Filter",
    "Freshness",
    "KeptPost",
    "Latest",
    "Moment",
    "Point",
    "RedisAway",
    "Sample",
    "Step",
    "Total",
    "Window",
]

_TRIES = 20
_MIXED_WAIT_SECONDS = 0.25
"""Before the next try where a rebuild with other settings has the partitions named one after the other."""


class _When(NamedTuple):
    """Which window is asked for."""

    window: str
    start: Moment | None
    end: Moment | None
    grain: str | None = None


class Counts:
    """Reads the counts of one topic.

        with Counts("redis://127.0.0.1:6379/0") as counts:
            window = counts.window("1h", by="source")

    now: seconds since 1970; by default Redis's own clock, by which counts expire. timezone: where dates
    without a zone are read; days are those of the counts, once there are any. Every call may raise RedisAway,
    when Redis does not answer, and UserError for a question that cannot be answered, or counts that a rebuild
    left half done.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        prefix: str = "nifos",
        timezone: str = "Asia/Seoul",
        timeout_seconds: float = 5.0,
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._url = redis_url
        self._keys = Keys(prefix)
        self._zone = ZoneInfo(timezone)
        self._timeout_seconds = timeout_seconds
        self._now = now
        self._sleep = sleep
        self._client: connect.RedisClient | None = None
        self._parsed: Parsed | None = None

    def window(
        self,
        window: str = "1h",
        *,
        by: str | None = None,
        where: Mapping[str, str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        grain: str | None = None,
    ) -> Window:
        """Posts of the last `window` (15m, 24h, 7d, …), or of [start, end).

        by: source, channel, keyword or revision. where: only posts with these values, {"keyword": "산불"}; a
        dimension and a filter together need their pair to be counted. start: a date or time, with `end`, by
        default now. grain: 10s, 1m, 1h, 1d, month or year; by default the finest that is kept, and a step
        that makes a series of at most 200 points.
        """
        return self._retry(lambda: self._window(by, where or {}, _When(window, start, end, grain)))

    def total(self, by: str | None = None, *, where: Mapping[str, str] | None = None) -> Total:
        """Posts of all time; by and where as for a window."""
        return self._retry(lambda: self._total(by, where or {}))

    def steps(
        self,
        window: str = "1h",
        *,
        by: str | None = None,
        where: Mapping[str, str] | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        grain: str | None = None,
    ) -> tuple[Step, ...]:
        """Every step of a window, asked for as by `window`, with the groups of each."""
        return self._retry(lambda: self._steps(by, where or {}, _When(window, start, end, grain)))

    def latest(self, wanted: Filter = EVERY, *, limit: int = 50) -> Latest:
        """The newest labelled posts that are wanted, of the latest that are kept."""
        latest, self._parsed = self._retry(
            lambda: read_latest(
                self._connected(), self._keys, self._look(), wanted, max(0, limit), self._parsed
            )
        )
        return latest

    def sample(
        self,
        window: str = "1h",
        *,
        wanted: Filter = EVERY,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Sample:
        """A sample of the posts of the last `window`, rounded as by `window`, or exactly of [start, end).

        end: now, without it. Samples of two weeks are kept.
        """
        return self._retry(lambda: self._sample(wanted, _When(window, start, end)))

    def freshness(self) -> Freshness:
        """How current the counts are."""
        return self._retry(lambda: self._look().freshness())

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _window(self, by: str | None, where: Mapping[str, str], when: _When) -> Window:
        look = self._look()
        asked = query(look.rules.dimensions, by, where)
        calendar, now = Calendar(look.rules.timezone), self._time(look)
        windows = Windows(calendar, look.rules.retention_seconds)
        span = self._span(windows, now, when)
        pieces = [(f"{piece.grain}:{piece.start}", piece.point) for piece in windows.pieces(span, now)]
        sums = self._read(look, asked, pieces)
        return Window(
            start=calendar.moment(span.start),
            end=calendar.moment(span.end),
            grain=span.grain,
            step=span.step,
            total=sums.total(),
            sentences=count_of(sums.sentences) if asked.sentences else None,
            by=by,
            groups=by_size(sums.groups),
            other=count_of(sums.other),
            series=series(windows, calendar, span, sums),
            freshness=look.freshness(),
            sentence_groups=by_size(sums.sentence_groups),
        )

    def _steps(self, by: str | None, where: Mapping[str, str], when: _When) -> tuple[Step, ...]:
        look = self._look()
        asked = query(look.rules.dimensions, by, where)
        calendar, now = Calendar(look.rules.timezone), self._time(look)
        windows = Windows(calendar, look.rules.retention_seconds)
        span = self._span(windows, now, when)
        begins = windows.points(span)
        pieces = [(f"{piece.grain}:{piece.start}", piece.point) for piece in windows.pieces(span, now)]
        sums = read_steps(self._connected(), self._keys, look, asked, pieces, len(begins))
        ends = [*begins[1:], span.end]
        return tuple(
            Step(
                start=calendar.moment(begin),
                end=calendar.moment(end),
                total=each.total(),
                groups=by_size(each.groups),
                other=count_of(each.other),
            )
            for begin, end, each in zip(begins, ends, sums, strict=True)
        )

    def _sample(self, wanted: Filter, when: _When) -> Sample:
        look = self._look()
        windows, now = Windows(Calendar(look.rules.timezone), look.rules.retention_seconds), self._time(look)
        span = self._span(windows, now, when)
        if when.start is not None:
            # Posts have their own times, finer than any bucket.
            start, end = instant(when.start, self._zone), when.end
            to = now if end is None else instant(end, self._zone)
            span = dataclasses.replace(
                span, start=max(span.start, math.floor(start)), end=min(span.end, math.ceil(to))
            )
        return read_sample(self._connected(), self._keys, look, span, wanted)

    def _time(self, look: Look) -> float:
        return self._now() if self._now is not None else look.now

    def _span(self, windows: Windows, now: float, when: _When) -> Span:
        to = now if when.end is None else instant(when.end, self._zone)
        begin = to - seconds_of(when.window) if when.start is None else instant(when.start, self._zone)
        return windows.span(begin, to, now, when.grain)

    def _total(self, by: str | None, where: Mapping[str, str]) -> Total:
        look = self._look()
        asked = query(look.rules.dimensions, by, where)
        sums = self._read(look, asked, [(TOTAL, 0)])
        return Total(
            total=sums.total(),
            sentences=count_of(sums.sentences) if asked.sentences else None,
            by=by,
            groups=by_size(sums.groups),
            other=count_of(sums.other),
            freshness=look.freshness(),
            sentence_groups=by_size(sums.sentence_groups),
        )

    def _look(self) -> Look:
        """How many partitions there are, and the state of each."""
        client = self._connected()
        pipeline = client.pipeline(transaction=False)
        pipeline.hget(self._keys.topic, "partitions")
        pipeline.get(self._keys.backlog)
        partitions, backlog = pipeline.execute()
        places = [[self._keys.state(p), self._keys.ends(p)] for p in range(int(partitions or 0))]
        answers = script("state").each(client, [(keys, []) for keys in places])
        return Look.of(backlog, answers, self._zone.key)

    def _read(self, look: Look, asked: Query, pieces: Sequence[tuple[str, int]]) -> Sums:
        return read_sums(self._connected(), self._keys, look, asked, pieces)

    def _connected(self) -> connect.RedisClient:
        if self._client is None:
            self._client = connect.client(self._url, self._timeout_seconds)
        return self._client

    def _retry(self, ask: Callable[[], _Answer]) -> _Answer:
        mixed: Mixed | None = None
        try:
            for _ in range(_TRIES):
                try:
                    return ask()
                except Moved:
                    continue
                except Mixed as error:
                    mixed = error
                    self._sleep(_MIXED_WAIT_SECONDS)
        except connect.TROUBLE as error:
            raise connect.away(self._url, error) from error
        raise mixed or RedisAway("The counts are being rebuilt faster than they can be read.")
