"""Dates as people and spreadsheets write them, to RFC 3339. Knows no file."""

import datetime as dt
import re
from typing import Any

_DATE = r"(?P<year>\d{4})\s*[-./년]\s*(?P<month>\d{1,2})\s*[-./월]\s*(?P<day>\d{1,2})\s*[.일]?"
_WEEKDAY = r"(?:\s*\(?[월화수목금토일](?:요일)?\)?)?"
_TIME = (
    r"(?:(?P<half>오전|오후|am|pm)\s*)?(?P<hour>\d{1,2})\s*[:시](?:\s*(?P<minute>\d{1,2})\s*분?)?"
    r"(?:\s*:?\s*(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?\s*초?)?(?:\s*(?P<late>am|pm))?"
)
_ZONE = r"(?:\s*(?P<zone>z|utc|gmt|kst|[+-]\d{2}:?\d{2}))?"
_WRITTEN = re.compile(rf"{_DATE}{_WEEKDAY}(?:[\sT,]*{_TIME}{_ZONE})?", re.IGNORECASE)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_ZONES = {"z": "+00:00", "utc": "+00:00", "gmt": "+00:00", "kst": "+09:00"}
_DIGITS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_EPOCH_UNITS = {10: 1, 13: 1000}
_EXCEL_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
_EXCEL_DAYS = range(20_000, 80_000)
"""Days that a date of 1954 to 2119 has in a spreadsheet; no other way to write a date gives such numbers."""


def rfc3339(value: Any, zone: dt.tzinfo) -> str | None:
    """A date or time in RFC 3339, with its offset; None for an empty one.

    value: what a file has: a string, a date, or a number (20200601, seconds or milliseconds since 1970, days
    of a spreadsheet). zone: where it was written when it does not say so. ValueError when it is no date.
    """
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    moment = _moment(value)
    if moment.tzinfo is not None:
        return value if isinstance(value, str) and _RFC3339.fullmatch(value) else moment.isoformat()
    return moment.replace(tzinfo=zone).isoformat()


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{_shown(value)} is not a date")
    try:
        if isinstance(value, int | float):
            return _from_number(value)
        return _from_digits(value) if value.isdecimal() else _from_words(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{_shown(value)} is not a date") from None


def _from_number(value: float) -> dt.datetime:
    if int(value) in _EXCEL_DAYS:
        return _EXCEL_EPOCH + dt.timedelta(seconds=round(value * 86_400))
    seconds = value / 1000 if value >= 1e11 else value
    if value == int(value) and len(str(int(value))) in _DIGITS:
        return _from_digits(str(int(value)))
    return _from_epoch(seconds)


def _from_digits(digits: str) -> dt.datetime:
    if len(digits) in _DIGITS:
        return dt.datetime.strptime(digits, _DIGITS[len(digits)])  # noqa: DTZ007 - the zone is added later
    # 2020060115 is an hour that somebody wrote, not a second of the year 2034.
    if len(digits) in _EPOCH_UNITS and digits[0] == "1":
        return _from_epoch(int(digits) / _EPOCH_UNITS[len(digits)])
    raise ValueError(digits)


def _from_epoch(seconds: float) -> dt.datetime:
    if not 1e9 <= seconds < 2e9:
        raise ValueError(seconds)
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _from_words(written: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(written)
    except ValueError:
        pass
    match = _WRITTEN.fullmatch(written)
    if match is None:
        raise ValueError(written)
    part = match.groupdict()
    year, month, day = (int(part[name]) for name in ("year", "month", "day"))
    if part["hour"] is None:
        return dt.datetime(year, month, day)  # noqa: DTZ001 - the zone is added later
    hour = _hour(int(part["hour"]), part["half"] or part["late"])
    minute, second = int(part["minute"] or 0), int(part["second"] or 0)
    micros = int((part["fraction"] or "0").ljust(6, "0")[:6])
    return dt.datetime(year, month, day, hour, minute, second, micros, _zone(part["zone"]))


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if half in ("오전", "오후") and hour > 12:
        return hour  # 오후 15:05 is said by programs that mix both ways.
    if hour > 12:
        raise ValueError(hour)
    return hour % 12 + (12 if half.lower() in ("오후", "pm") else 0)


def _zone(written: str | None) -> dt.tzinfo | None:
    if written is None:
        return None
    return dt.datetime.strptime(_ZONES.get(written.lower(), written), "%z").tzinfo


def _shown(value: Any) -> str:
    shown = str(value)
    return repr(shown if len(shown) <= 40 else shown[:39] + "…")
