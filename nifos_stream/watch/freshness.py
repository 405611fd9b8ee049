"""How current counts are, said to a person. Reads nothing."""

import datetime as dt

from nifos_stream.counters.shapes import Freshness
from nifos_stream.watch.look import age

STALE_SECONDS = 15.0
"""Counts that were last known to be level longer ago than this are old news."""


def is_current(freshness: Freshness) -> bool:
    """The counts are, as far as is known, those of a moment ago."""
    seconds = freshness.behind_seconds
    return seconds is not None and seconds <= STALE_SECONDS and freshness.rebuilding is None


def sentence(freshness: Freshness) -> str:
    """One or two sentences: how far behind, what waits, whether counts are still being filled."""
    said = [_level(freshness)]
    if freshness.rebuilding is not None:
        said.append(f"Rebuilding, {freshness.rebuilding:.0%} done.")
    if freshness.backlog:
        said.append(f"{_number(freshness.backlog, 'post waits', 'posts wait')} to be labelled.")
    return " ".join(said)


def since(freshness: Freshness) -> str:
    """Since when posts are counted; empty before the first one."""
    start = freshness.counted_since
    return f"since {start:%Y-%m-%d %H:%M}" if start is not None else ""


def _level(freshness: Freshness) -> str:
    if freshness.behind_seconds is None:
        if freshness.counted_since is None:
            return "Nothing has been counted yet."
        return "It is not known how far behind the counts are."
    if freshness.behind and freshness.behind_seconds > STALE_SECONDS:
        waiting = _number(freshness.behind, "event", "events")
        return f"Counts are {waiting} behind, and were last level {age(freshness.behind_seconds)} ago."
    if freshness.behind_seconds > STALE_SECONDS:
        # Nothing waited then; what came since is not known, as nobody counts who would say so.
        return f"All was counted {age(freshness.behind_seconds)} ago; no worker has reported since."
    return f"Counts are {age(freshness.behind_seconds)} behind."


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def as_json(freshness: Freshness) -> dict[str, object]:
    """The fields as JSON has them."""
    return {
        "behind": freshness.behind,
        "behind_seconds": _rounded(freshness.behind_seconds),
        "backlog": freshness.backlog,
        "counted_since": _written(freshness.counted_since),
        "rebuilding": _rounded(freshness.rebuilding),
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


def _written(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
