"""Which minute is evaluated next, and when the counts are level with it. Judges and publishes nothing."""

import math
from dataclasses import dataclass

from nifos_stream.alerts.numbers import EVERYTHING, MINUTE, Numbers
from nifos_stream.alerts.reach import Reach
from nifos_stream.counters.reader import Counts
from nifos_stream.counters.shapes import Count
from nifos_stream.settings.alerts import AlertSettings

RATE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Due:
    """A minute to evaluate now. left_out: (from, to) of those before it that can be evaluated no more."""

    minute: int
    left_out: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A minute is to be evaluated, and the counts are not level with it. why: for a person."""

    why: str


class Schedule:
    """Minutes follow one another, each once. Times in seconds since 1970, `now` is Redis's."""

    def __init__(self, settings: AlertSettings, counts: Counts, numbers: Numbers, reach: Reach) -> None:
        self._settings = settings
        self._counts = counts
        self._numbers = numbers
        self._reach = reach

    def oldest_readable(self, now: float) -> int:
        """The first minute whose windows and history are still kept."""
        return self._newest(now) - self._whole_minutes(self._reach.readable_seconds)

    def next(self, now: float, evaluated_to: int | None) -> Due | Waiting | None:
        """What is to be done; None when nothing is. What Counts raise."""
        newest = self._newest(now)
        done = evaluated_to if evaluated_to is not None else newest - MINUTE
        minute = max(done + MINUTE, newest - self._whole_minutes(self._reach.evaluated_seconds))
        if minute > newest:
            return None
        complete_at = minute + self._settings.delay_minutes * MINUTE
        fresh = self._counts.freshness()
        behind = fresh.behind_seconds
        if fresh.rebuilding is not None or behind is None or now - behind < complete_at:
            return Waiting("waiting for the counts, which are behind")
        if fresh.backlog and now - self._worth_seconds(fresh.backlog, minute) < complete_at:
            return Waiting("waiting for posts that are not labelled yet")
        return Due(minute, (done, minute - MINUTE) if minute > done + MINUTE else None)

    def _newest(self, now: float) -> int:
        latest = int((now - self._settings.settle_seconds) // MINUTE) * MINUTE
        return latest - self._settings.delay_minutes * MINUTE

    def _worth_seconds(self, backlog: int, minute: int) -> float:
        """How long so many posts take to come in, at the rate of the last minutes that are counted."""
        posts = self._numbers.window("all", minute - RATE_SECONDS, minute).get(EVERYTHING, Count()).total
        return backlog / posts * RATE_SECONDS if posts else math.inf

    @staticmethod
    def _whole_minutes(seconds: int) -> int:
        return seconds // MINUTE * MINUTE
