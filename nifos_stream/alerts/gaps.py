"""Minutes that never can be evaluated, while alerts are open. Times in seconds since 1970; knows no alert."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nifos_stream.alerts.numbers import MINUTE

MOST = 20
"""More are told as fewer: they have to fit beside an offset."""


class Gap(NamedTuple):
    """After the minute that ended at `start`, up to the one that ended at `end`: `minutes` of them."""

    start: int
    end: int
    minutes: int


def added(gaps: Sequence[Gap], start: int, end: int) -> tuple[Gap, ...]:
    """With one more, the newest; where nothing was evaluated since its start, it is an older one grown."""
    all_of_them = [*(gap for gap in gaps if gap.start != start), Gap(start, end, (end - start) // MINUTE)]
    oldest = max(0, len(all_of_them) - MOST + 1)
    together = whole(all_of_them[:oldest])
    return (*([together] if together else []), *all_of_them[oldest:])


def during(gaps: Iterable[Gap], started_at: float) -> tuple[Gap, ...]:
    """Those in which an alert that began then was open."""
    return tuple(gap for gap in gaps if started_at <= gap.start)


def whole(gaps: Sequence[Gap]) -> Gap | None:
    """From the first to the last, with the minutes of all; None of none."""
    return Gap(gaps[0].start, gaps[-1].end, sum(gap.minutes for gap in gaps)) if gaps else None
