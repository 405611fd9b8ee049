"""Where a bucket of each grain begins and ends. Knows a time zone, no clock.

All times are whole seconds since 1970. Days, months and years are those of the time zone, however long.
"""

import datetime as dt
import functools
from zoneinfo import ZoneInfo

from nifos_stream.settings import GRAINS

EARLIEST = -2_208_988_800
LATEST = 32_503_680_000
"""1900 and 3000. An event dated outside is counted at the edge, so that every date has a calendar."""
CALENDAR_GRAINS = ("1d", "month", "year")


def believable(seconds: float) -> int:
    """Whole seconds, between EARLIEST and LATEST."""
    return int(min(max(seconds, EARLIEST), LATEST) // 1)


class Calendar:
    """Buckets of 10s, 1m, 1h by the clock, of 1d, month and year by the calendar of `timezone`."""

    def __init__(self, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)
        self._bounds = functools.lru_cache(maxsize=4096)(self._find_bounds)

    def start(self, grain: str, seconds: int) -> int:
        """Begin of the bucket that `seconds` lies in."""
        if grain in CALENDAR_GRAINS:
            return self._bounds(grain, seconds)[0]
        return seconds - seconds % GRAINS[grain]

    def end(self, grain: str, start: int) -> int:
        """End of the bucket that begins at `start`: the begin of the next."""
        return self._bounds(grain, start)[1] if grain in CALENDAR_GRAINS else start + GRAINS[grain]

    def moment(self, seconds: int) -> dt.datetime:
        """`seconds` as an aware datetime in the time zone."""
        return dt.datetime.fromtimestamp(seconds, self.zone)

    def _find_bounds(self, grain: str, seconds: int) -> tuple[int, int]:
        day = self.moment(seconds).date()
        if grain != "1d":
            day = day.replace(day=1) if grain == "month" else day.replace(month=1, day=1)
        begin, following = self._midnight(day), _next(grain, day)
        end = self._midnight(following)
        # Where clocks were once put back across midnight, a date happens in two parts; the second is the next
        # day's, so that days stay whole.
        return (begin, end) if seconds < end else (end, self._midnight(_next(grain, following)))

    def _midnight(self, day: dt.date) -> int:
        return int(dt.datetime.combine(day, dt.time(), self.zone).timestamp())


def _next(grain: str, day: dt.date) -> dt.date:
    if grain == "1d":
        return day + dt.timedelta(days=1)
    if grain == "year":
        return day.replace(year=day.year + 1)
    return (day + dt.timedelta(days=31)).replace(day=1)
