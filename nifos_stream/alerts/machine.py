"""When alerts begin and end: one open alert at most for each rule and value. Knows no numbers and no clock.

An alert begins at the first minute at which its rule holds, and ends at the first of `calm_minutes` calm ones
in a row. Its id says rule, dimension, value and beginning, so that whoever finds it again finds the same.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from nifos_stream.alerts.numbers import MINUTE


class Subject(NamedTuple):
    """What an alert is about: a rule, and a value of a dimension."""

    rule: str
    dimension: str
    value: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A stretch of time in which a rule held. Times in seconds since 1970; evidence as at its beginning."""

    subject: Subject
    metric: str
    started_at: int
    ended_at: int | None
    evidence: Mapping[str, object]

    @property
    def id(self) -> str:
        """16 hex digits."""
        return identity(self.subject, self.started_at)


@dataclass(frozen=True, slots=True)
class Judged:
    """One subject at one minute. weight: which matter most, where not all can be opened."""

    metric: str
    over: bool
    calm: bool
    calm_minutes: int
    weight: float
    evidence: Mapping[str, object]


class Machine:
    """Turns what is judged each minute into alerts that begin and end. most_open: at once."""

    def __init__(self, *, most_open: int, open_alerts: Iterable[Alert] = ()) -> None:
        self._most_open = most_open
        self._open = {alert.subject: alert for alert in open_alerts}
        self._calm_since: dict[Subject, int] = {}
        self.left_out = 0
        """Alerts that did not begin at the last minute because too many were open."""

    @property
    def open(self) -> Mapping[Subject, Alert]:
        """Alerts that have begun and not ended."""
        return self._open

    def step(self, minute: int, judged: Mapping[Subject, Judged], *, begin: bool = True) -> list[Alert]:
        """The alerts that ended, then those that began, at `minute`; minutes follow one another.

        judged: every open subject whose rule is still there, and any others; an open one that is missing
        ends at once. begin: False while minutes are gone through again to find how long all was calm.
        """
        ended = [self._open[subject] for subject in self._open if self._calm(subject, minute, judged)]
        if not begin:
            return []
        ended = [self._close(alert) for alert in ended]
        wanted = [(subject, found) for subject, found in judged.items() if found.over]
        wanted = [pair for pair in wanted if pair[0] not in self._open]
        wanted.sort(key=lambda pair: (-pair[1].weight, pair[0]))
        free = max(0, self._most_open - len(self._open))
        self.left_out = max(0, len(wanted) - free)
        begun = [
            Alert(subject, found.metric, minute, None, found.evidence) for subject, found in wanted[:free]
        ]
        self._open |= {alert.subject: alert for alert in begun}
        return ended + begun

    def _calm(self, subject: Subject, minute: int, judged: Mapping[Subject, Judged]) -> bool:
        """Whether all has been calm for long enough, or there is nothing to judge it by any more."""
        found = judged.get(subject)
        if found is not None and not found.calm:
            self._calm_since.pop(subject, None)
            return False
        since = self._calm_since.setdefault(subject, minute)
        return found is None or minute - since >= (found.calm_minutes - 1) * MINUTE

    def _close(self, alert: Alert) -> Alert:
        del self._open[alert.subject]
        since = self._calm_since.pop(alert.subject)
        return replace(alert, ended_at=max(since, alert.started_at + MINUTE))


def identity(subject: Subject, started_at: int) -> str:
    """The id of the alert on `subject` that began then."""
    said = "\0".join((*subject, str(started_at)))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]
