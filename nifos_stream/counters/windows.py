"""From what a person asks, such as "24h" or two dates, to the buckets that answer it. Knows no Redis.

A window is [start, end), rounded outward to the finest grain that is still kept for all of it. It is added up
from the largest buckets that fit: as every event is counted in every grain, the numbers are the same.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nifos_stream.counters.buckets import CALENDAR_GRAINS, EARLIEST, LATEST, Calendar
from nifos_stream.errors import Refusal, UserError
from nifos_stream.settings import GRAINS

STEPS = (*GRAINS, "month", "year")
"""Every grain that an answer can have, finest first."""
MAX_POINTS = 200
"""Points of a series, unless a grain is asked for."""
MAX_ASKED_POINTS = 20_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_NOMINAL_SECONDS = {**GRAINS, "month": 2_629_746, "year": 31_556_952}
# A bucket that is about to expire may be gone when it is read.
_EXPIRY_MARGIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A window as it is answered: [start, end) in seconds, rounded to `grain`; its series goes by `step`."""

    start: int
    end: int
    grain: str
    step: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One bucket of the answer. point: index in the series."""

    grain: str
    start: int
    point: int


def seconds_of(window: str) -> int:
    """Length of a window such as 90s, 5m, 24h, 7d or 2w. UserError when it is none."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", window.strip())
    if not found or not int(found[1]):
        units = "s, m, h, d or w: seconds to weeks"
        said = f"A window is a number and a unit ({units}), such as 15m, 24h or 7d, not {window!r}."
        raise UserError(said, Refusal.WINDOW_UNREADABLE, window=window)
    return int(found[1]) * _UNITS[found[2]]


def instant(value: str | dt.datetime | dt.date | float, zone: dt.tzinfo) -> float:
    """Seconds of a moment; a date is its midnight, and one without a zone is read in `zone`. UserError."""
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        written = value
        try:
            value = dt.datetime.fromisoformat(written.strip())
        except ValueError:
            said = f"{written!r} is not a date or time, such as 2026-05-01 or 2026-05-01T09:30."
            raise UserError(said, Refusal.MOMENT_UNREADABLE, moment=written) from None
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    return (value if value.tzinfo else value.replace(tzinfo=zone)).timestamp()


class Windows:
    """Rounds windows for one set of kept grains."""

    def __init__(self, calendar: Calendar, retention_seconds: Mapping[str, int]) -> None:
        self._calendar = calendar
        self._retention_seconds = retention_seconds

    def span(
        self, start: float, end: float, now: float, grain: str | None = None, *, compared: bool = False
    ) -> Span:
        """Round [start, end).

        grain: round to this one and make it the step. compared: without a grain, round to one that is kept
        for `before`, too, if any is. What lies before the oldest day kept is cut off. UserError when the
        window is empty, or `grain` is unknown, not kept so long, or too fine for it.
        """
        if grain is not None and grain not in STEPS:
            said = f"A grain is one of {', '.join(STEPS)}, not {grain!r}."
            raise UserError(said, Refusal.GRAIN_UNKNOWN, grain=grain, grains=STEPS)
        if not start < end:
            raise UserError("A window must end after it begins: its end is not in it.", Refusal.WINDOW_EMPTY)
        start, end = max(start, EARLIEST), min(max(end, EARLIEST), LATEST)
        start = min(max(start, now - self._retention_seconds["1d"]), end)
        kept = [name for name in GRAINS if self._covers(name, int(start // 1), now)]
        if compared and grain is None:
            kept = [name for name in kept if self._covers(name, self._before(name, start, end), now)] or kept
        finest = kept[0] if kept else "1d"
        if grain in GRAINS and grain not in kept and grain != "1d":
            said = f"Counts by {grain} are not kept so far back; by {finest} they are."
            raise UserError(said, Refusal.NOT_KEPT, grain=grain, finest=finest)
        step = grain or self._step(finest, end - start)
        since = self._before(finest, start, end) if compared else int(start // 1)
        grain_used = grain or self._aligned(finest, step, since, int(end // 1))
        first, last = self._rounded(grain_used, start, end)
        if (last - first) / _NOMINAL_SECONDS[step] > MAX_ASKED_POINTS:
            said = f"So long a window by {step} has too many points; ask for a coarser grain."
            raise UserError(said, Refusal.TOO_MANY_POINTS, grain=step)
        return Span(first, last, grain_used, step)

    def before(self, span: Span, now: float) -> Span:
        """As many buckets of the same grain, up to where `span` begins. UserError when they are not kept."""
        start = self._before(span.grain, span.start, span.end)
        if not self._covers(span.grain if span.grain in GRAINS else "1d", start, now):
            raise UserError("The window before is not kept so far back.")
        return dataclasses.replace(span, start=start, end=span.start)

    def points(self, span: Span) -> list[int]:
        """Begins of the steps of a span; the first is cut by its start."""
        begins, at = [], span.start
        while at < span.end:
            begins.append(at)
            at = self._calendar.end(span.step, self._calendar.start(span.step, at))
        return begins

    def pieces(self, span: Span, now: float) -> Iterator[Piece]:
        """The buckets whose sum is the span, each within one step."""
        usable = [name for name in GRAINS if self._covers(name, span.start, now)] or ["1d"]
        for point, begin in enumerate(self.points(span)):
            end = min(self._calendar.end(span.step, self._calendar.start(span.step, begin)), span.end)
            at = begin
            while at < end:
                grain = self._largest(usable, span.step, at, end)
                yield Piece(grain, at, point)
                at = self._calendar.end(grain, at)

    def _largest(self, usable: list[str], step: str, at: int, end: int) -> str:
        for grain in reversed(usable):
            if STEPS.index(grain) > STEPS.index(step):
                continue
            if self._calendar.start(grain, at) == at and self._calendar.end(grain, at) <= end:
                return grain
        return usable[0]

    def _rounded(self, grain: str, start: float, end: float) -> tuple[int, int]:
        first = self._calendar.start(grain, int(start // 1))
        return first, self._round_up(grain, max(end, first + 1))

    def _before(self, grain: str, start: float, end: float) -> int:
        """Where the window before the rounded one begins."""
        first, last = self._rounded(grain, start, end)
        # Days, months and years are not all as long: the nearest one.
        return self._calendar.start(grain, 2 * first - last + int(_NOMINAL_SECONDS[grain]) // 2)

    def _aligned(self, finest: str, step: str, start: int, end: int) -> str:
        """Where a day does not begin at a full hour, hours cannot be added up to days."""
        if step not in CALENDAR_GRAINS or finest != "1h":
            return finest
        days = (self._calendar.start("1d", at) for at in (*range(start, end, GRAINS["1d"]), end))
        return "1d" if any(day % GRAINS["1h"] for day in days) else finest

    def _covers(self, grain: str, start: int, now: float) -> bool:
        expires_at = (
            self._calendar.end(grain, self._calendar.start(grain, start)) + self._retention_seconds[grain]
        )
        return expires_at > now + _EXPIRY_MARGIN_SECONDS

    def _round_up(self, grain: str, end: float) -> int:
        start = self._calendar.start(grain, int(end // 1))
        return start if start == end else self._calendar.end(grain, start)

    @staticmethod
    def _step(finest: str, seconds: float) -> str:
        steps = STEPS[STEPS.index(finest) :]
        return next((step for step in steps if seconds / _NOMINAL_SECONDS[step] <= MAX_POINTS), steps[-1])
