"""Several questions to the counts: the buckets that answer them, and the answers. Knows no Redis."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.look import Look
from nifos_stream.counters.query import Query, query
from nifos_stream.counters.shapes import Freshness, Total, Window
from nifos_stream.counters.steps import Bucket, Stretch
from nifos_stream.counters.sums import Sums, by_size, count_of, series
from nifos_stream.counters.tally import TOTAL
from nifos_stream.counters.windows import Span, Windows, instant, seconds_of
from nifos_stream.errors import UserError

Moment = str | dt.datetime | dt.date | float


@dataclass(frozen=True, slots=True)
class When:
    """Which window is asked for.

    compared: rounded to a grain that is kept for the window before, too, where any is. before: that window,
    which ends where the compared one begins and has as many buckets of the same grain; no bucket is in both.
    """

    window: str = "1h"
    start: Moment | None = None
    end: Moment | None = None
    grain: str | None = None
    compared: bool = False
    before: bool = False


ALL_TIME = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. when: ALL_TIME for all there is. trends: values of `by` wanted at each point."""

    when: When | None = field(default_factory=When)
    by: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    trends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer for each ask, of one moment: a UserError for what cannot be answered.

    at: that moment, by the clock that windows end by.
    """

    at: dt.datetime
    answers: tuple[Window | Total | UserError, ...]


@dataclass(frozen=True, slots=True)
class _Planned:
    """An ask that can be answered. span: None for all time."""

    ask: Ask
    asked: Query
    span: Span | None
    buckets: tuple[Bucket, ...]


class Plan:
    """The buckets for some asks, at one moment. zone: where dates without one are read."""

    def __init__(self, asks: Sequence[Ask], look: Look, now: float, zone: dt.tzinfo) -> None:
        self._look = look
        self._now = now
        self._zone = zone
        self._calendar = Calendar(look.rules.timezone)
        self.windows = Windows(self._calendar, look.rules.retention_seconds)
        self._planned = [self._plan(ask) for ask in asks]
        self._places: dict[tuple[Bucket, ...], list[int]] = {}
        for place, planned in enumerate(self._planned):
            if isinstance(planned, _Planned):
                self._places.setdefault(planned.buckets, []).append(place)
        self.stretches = [self._stretch(buckets, places) for buckets, places in self._places.items()]

    def span(self, when: When) -> Span:
        """A window, rounded. UserError when it is none, or not kept."""
        to = self._now if when.end is None else instant(when.end, self._zone)
        begin = to - seconds_of(when.window) if when.start is None else instant(when.start, self._zone)
        compared = when.compared or when.before
        span = self.windows.span(begin, to, self._now, when.grain, compared=compared)
        return self.windows.before(span, self._now) if when.before else span

    def answers(self, sums: Sequence[Sequence[Sums]], freshness: Freshness) -> Answers:
        """sums: for each stretch, for each thing asked of it."""
        found: list[Window | Total | UserError | None] = [
            planned if isinstance(planned, UserError) else None for planned in self._planned
        ]
        for places, some in zip(self._places.values(), sums, strict=True):
            for place, each in zip(places, some, strict=True):
                planned = self._planned[place]
                if isinstance(planned, _Planned):
                    found[place] = self._answer(planned, each, freshness)
        return Answers(
            dt.datetime.fromtimestamp(self._now, self._calendar.zone),
            tuple(answer for answer in found if answer is not None),
        )

    def _plan(self, ask: Ask) -> _Planned | UserError:
        try:
            asked = query(self._look.rules.dimensions, ask.by, ask.where)
            if ask.when is ALL_TIME:
                return _Planned(ask, asked, None, ((TOTAL, 0),))
            span = self.span(ask.when)
        except UserError as refused:
            return refused
        pieces = self.windows.pieces(span, self._now)
        return _Planned(
            ask, asked, span, tuple((f"{each.grain}:{each.start}", each.point) for each in pieces)
        )

    def _stretch(self, buckets: tuple[Bucket, ...], places: Sequence[int]) -> Stretch:
        planned = [each for place in places if isinstance(each := self._planned[place], _Planned)]
        trends = {number: each.ask.trends for number, each in enumerate(planned) if each.ask.trends}
        return Stretch([each.asked for each in planned], buckets, trends)

    def _answer(self, planned: _Planned, sums: Sums, freshness: Freshness) -> Window | Total:
        sentences = count_of(sums.sentences) if planned.asked.sentences else None
        groups, other = by_size(sums.groups), count_of(sums.other)
        by, span = planned.ask.by, planned.span
        if span is None:
            return Total(sums.total(), sentences, by, groups, other, freshness, by_size(sums.sentence_groups))
        points = series(self.windows, self._calendar, span, sums)
        return Window(
            start=self._calendar.moment(span.start),
            end=self._calendar.moment(span.end),
            grain=span.grain,
            step=span.step,
            total=sums.total(),
            sentences=sentences,
            by=by,
            groups=groups,
            other=other,
            series=points,
            freshness=freshness,
            sentence_groups=by_size(sums.sentence_groups),
            trends={
                value: [trend.get(point, 0) for point in range(len(points))]
                for value in planned.ask.trends
                for trend in [sums.trends.get(value, {})]
            },
        )
