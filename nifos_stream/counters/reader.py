"""Read the counts from Redis: any window, by any dimension that is counted, and how current they are."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, cast
from zoneinfo import ZoneInfo

from nifos_stream.counters.asking import ALL_TIME, Answers, Ask, Moment, Plan, When
from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.connect import LoginRefused, RedisAway
from nifos_stream.counters.kept import (
    Latest,
    Parsed,
    Sample,
    latest_calls,
    latest_of,
    sample_calls,
    sample_of,
)
from nifos_stream.counters.line import Line
from nifos_stream.counters.look import Call, Look
from nifos_stream.counters.posts import KeptPost
from nifos_stream.counters.query import query
from nifos_stream.counters.shapes import Count, Freshness, Point, Step, Total, Window
from nifos_stream.counters.steps import added, calls, read_steps
from nifos_stream.counters.store import Keys
from nifos_stream.counters.sums import by_size, count_of
from nifos_stream.counters.wanted import EVERY, Filter
from nifos_stream.counters.windows import Span, instant
from nifos_stream.errors import UserError

__all__ = [
    "ALL_TIME",
    "Answers",
    "Ask",
    "Count",
    "Counts",
    "Filter",
    "Freshness",
    "KeptPost",
    "Latest",
    "LoginRefused",
    "Moment",
    "Point",
    "RedisAway",
    "Sample",
    "Step",
    "Total",
    "When",
    "Window",
]


class Counts:
    """Reads the counts of one topic.

        with Counts("redis://127.0.0.1:6379/0") as counts:
            window = counts.window("1h", by="source")

    now: seconds since 1970; by default Redis's own clock, by which counts expire. monotonic: seconds, to know
    that clock between two calls. timezone: where dates without a zone are read; days are those of the counts,
    once there are any. Every call may raise RedisAway, when Redis does not answer, and UserError for a
    question that cannot be answered, or counts that a rebuild left half done.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        prefix: str = "nifos",
        timezone: str = "Asia/Seoul",
        timeout_seconds: float = 5.0,
        now: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._zone = ZoneInfo(timezone)
        self._line = Line(
            redis_url,
            Keys(prefix),
            timezone,
            timeout_seconds=timeout_seconds,
            now=now,
            monotonic=monotonic,
            sleep=sleep,
        )
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
        return cast("Window", self._answer(Ask(When(window, start, end, grain), by, where or {})))

    def total(self, by: str | None = None, *, where: Mapping[str, str] | None = None) -> Total:
        """Posts of all time; by and where as for a window."""
        return cast("Total", self._answer(Ask(ALL_TIME, by, where or {})))

    def together(self, asks: Sequence[Ask]) -> Answers:
        """The answers to several questions at one moment, read in one round trip.

        Only the first call, and one after a rebuild or a change of settings, needs two more to know what is
        counted. What cannot be answered has a UserError in its place.
        """
        return self._line.retry(lambda: self._together(asks))

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
        return self._line.retry(lambda: self._steps(by, where or {}, When(window, start, end, grain)))

    def latest(self, wanted: Filter = EVERY, *, limit: int = 50) -> Latest:
        """The newest labelled posts that are wanted, of the latest that are kept."""
        return self._line.retry(lambda: self._latest(wanted, max(0, limit)))

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
        return self._line.retry(lambda: self._sample(wanted, When(window, start, end)))

    def freshness(self) -> Freshness:
        """How current the counts are."""
        return self._line.retry(lambda: self._line.look().freshness())

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, ask: Ask) -> Window | Total:
        (answer,) = self.together([ask]).answers
        if isinstance(answer, UserError):
            raise answer
        return answer

    def _together(self, asks: Sequence[Ask]) -> Answers:
        def planned(look: Look, now: float) -> tuple[Plan, list[Call]]:
            plan = Plan(asks, look, now, self._zone)
            return plan, list(calls(self._line.keys, look, plan.stretches))

        plan, look, answers = self._line.at_once("read", planned)
        return plan.answers(added(plan.stretches, answers), look.freshness())

    def _steps(self, by: str | None, where: Mapping[str, str], when: When) -> tuple[Step, ...]:
        look = self._line.look()
        asked = query(look.rules.dimensions, by, where)
        calendar, now = Calendar(look.rules.timezone), self._line.time(look)
        plan = Plan([], look, now, self._zone)
        windows, span = plan.windows, plan.span(when)
        begins = windows.points(span)
        pieces = [(f"{piece.grain}:{piece.start}", piece.point) for piece in windows.pieces(span, now)]
        sums = read_steps(self._line.client, self._line.keys, look, asked, pieces, len(begins))
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

    def _latest(self, wanted: Filter, limit: int) -> Latest:
        _, look, answers = self._line.at_once(
            "posts", lambda look, _: (None, latest_calls(self._line.keys, look, wanted, limit))
        )
        latest, self._parsed = latest_of(look, answers, wanted, limit, self._parsed)
        return latest

    def _sample(self, wanted: Filter, when: When) -> Sample:
        def planned(look: Look, now: float) -> tuple[tuple[Span, float], list[Call]]:
            span = self._sampled(Plan([], look, now, self._zone).span(when), when, now)
            return (span, now), sample_calls(self._line.keys, look, span, now)

        (span, now), look, answers = self._line.at_once("posts", planned)
        return sample_of(look, answers, span, now, wanted)

    def _sampled(self, span: Span, when: When, now: float) -> Span:
        """The span, but exactly from a start that is stated."""
        if when.start is not None:
            # Posts have their own times, finer than any bucket.
            start, end = instant(when.start, self._zone), when.end
            to = now if end is None else instant(end, self._zone)
            span = dataclasses.replace(
                span, start=max(span.start, math.floor(start)), end=min(span.end, math.ceil(to))
            )
        return span
