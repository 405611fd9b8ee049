"""Dates as people type them after --from and --to. Reads no counts."""

import datetime as dt
import re

from nifos_stream.errors import UserError
from nifos_stream.files.dates import rfc3339
from nifos_stream.watch.look import plain

_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:\s*년|\s*[-./년]\s*(\d{1,2})\s*[.월]?)?")


def moment(written: str | None, zone: dt.tzinfo) -> str | None:
    """A date or time in RFC 3339: a year or month is its beginning, what says no zone is of `zone`.

    None for None. UserError when it is no date.
    """
    if written is None:
        return None
    try:
        if short := _YEAR_OR_MONTH.fullmatch(written.strip()):
            return dt.datetime(int(short[1]), int(short[2] or 1), 1, tzinfo=zone).isoformat()
        found = rfc3339(written, zone)
    except ValueError:
        found = None
    if found is None:
        such = "2026, 2026-05, 2026-05-01 or 2026-05-01T09:30"
        raise UserError(f"{plain(written)!r} is not a date or time, such as {such}.")
    return found
