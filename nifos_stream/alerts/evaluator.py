"""Judge every rule at one minute: from numbers to alerts that begin and end. Publishes nothing.

Live and in a replay the same: minutes are given one after another, and whatever is counted is asked of
Numbers at that minute, so that counts which came in late are seen, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nifos_stream.alerts import rules
from nifos_stream.alerts.history import History, Reads, amount
from nifos_stream.alerts.machine import Alert, Judged, Machine, Subject
from nifos_stream.alerts.numbers import EVERYTHING, MINUTE, Numbers
from nifos_stream.alerts.rules import Verdict
from nifos_stream.alerts.score import line
from nifos_stream.counters.shapes import Count
from nifos_stream.settings.alerts import Metric, Rule, SilenceRule, SurgeRule, ThresholdRule

_YOUNG_DAYS = 1
_GONE_DAYS = 14
"""`below` a number is held against values that are older than the one, and had a post within the other."""


@dataclass(frozen=True, slots=True)
class _Days:
    """Of a history: it is shared by the rules that have the same."""

    history: int
    least: int


class Evaluator:
    """Rules on numbers. open_alerts: those that had begun before, if it goes on from somewhere."""

    def __init__(
        self,
        judging: Sequence[Rule],
        numbers: Numbers,
        *,
        most_open: int = 100,
        open_alerts: Iterable[Alert] = (),
    ) -> None:
        self._rules = judging
        self._numbers = numbers
        self._machine = Machine(most_open=most_open, open_alerts=open_alerts)
        self._histories: dict[_Days, History] = {}

    @property
    def machine(self) -> Machine:
        """Which alerts are open."""
        return self._machine

    def step(self, minute: int, *, begin: bool = True) -> list[Alert]:
        """What ended and what began at `minute`, the end of every window that is looked at.

        begin: False to go through a minute again that was evaluated before. Whatever Numbers raise.
        """
        windows: dict[tuple[str, int], Mapping[str, Count]] = {}
        counted = self._numbers.dimensions()
        judged: dict[Subject, Judged] = {}
        for rule in self._rules:
            series = self._series(rule, counted, minute)
            for dimension in rule.dimensions:
                if dimension not in counted:
                    continue
                start = minute - rule.window_minutes * MINUTE
                if (dimension, start) not in windows:
                    windows[dimension, start] = self._numbers.window(dimension, start, minute)
                found = windows[dimension, start]
                for value in self._values(rule, dimension, found, minute):
                    subject, count = Subject(rule.name, dimension, value), found.get(value, Count())
                    is_open = subject in self._machine.open
                    verdict = self._verdict(rule, subject, count, start, minute, series, is_open=is_open)
                    if verdict is not None and (is_open or verdict.over):
                        judged[subject] = _judged(rule, verdict, count, start, minute)
        return self._machine.step(minute, judged, begin=begin)

    def _values(self, rule: Rule, dimension: str, found: Mapping[str, Count], minute: int) -> Iterable[str]:
        if dimension == "all":
            return (EVERYTHING,)
        if rule.values:
            return rule.values
        values = dict.fromkeys(() if _below_a_number(rule) else found)
        if isinstance(rule, SilenceRule) or _below_a_number(rule):
            values |= dict.fromkeys(self._history(rule).known(dimension, minute))
        opened = (s for s in self._machine.open if s.rule == rule.name and s.dimension == dimension)
        return values | dict.fromkeys(subject.value for subject in opened)

    def _verdict(
        self,
        rule: Rule,
        subject: Subject,
        count: Count,
        start: int,
        end: int,
        series: int,
        *,
        is_open: bool,
    ) -> Verdict | None:
        """The verdict of a rule; None when there is nothing to judge by."""
        _, dimension, value = subject
        if isinstance(rule, ThresholdRule):
            if is_open and self._is_gone(rule, dimension, value, end):
                return _gone(rule.metric)
            return rules.threshold(rule, count)
        history = self._history(rule)
        if isinstance(rule, SilenceRule):
            if count.total and not is_open:
                return None
            if is_open and not count.total and self._is_gone(rule, dimension, value, end):
                return _gone("posts")
            return rules.silence(rule, count, history.usual(dimension, value, "posts", start, end))
        limit = line(rule.false_alarms_per_week, series)
        verdicts: list[Verdict] = []
        for metric in rule.metrics:
            if not is_open and amount(count, metric) < rule.min_count:
                continue
            usual = history.usual(dimension, value, metric, start, end)
            if usual is not None and (
                verdict := rules.surge(rule, metric, count, usual, limit, is_open=is_open)
            ):
                verdicts.append(verdict)
        return _heaviest(verdicts) or (_gone(rule.metrics[0]) if is_open else None)

    def _series(self, rule: Rule, counted: frozenset[str], minute: int) -> int:
        """How many values a surge is looked for in, by as many metrics."""
        if not isinstance(rule, SurgeRule):
            return 0
        history, chosen, values = self._history(rule), frozenset(rule.values), 0
        for dimension in rule.dimensions:
            if dimension in counted:
                known = history.known(dimension, minute)
                values += len(chosen & known.keys()) if chosen else len(known)
        return values * len(rule.metrics)

    def _is_gone(self, rule: ThresholdRule | SilenceRule, dimension: str, value: str, minute: int) -> bool:
        """Whether the value is not named, and had no post for so long that nothing is expected of it."""
        if rule.values or dimension == "all" or not (isinstance(rule, SilenceRule) or _below_a_number(rule)):
            return False
        return value not in self._history(rule).known(dimension, minute)

    def _history(self, rule: Rule) -> History:
        days = _days(rule)
        if days not in self._histories:
            sharing = [other for other in self._rules if _days(other) == days]
            self._histories[days] = History(self._numbers, days.history, days.least, _reads(sharing))
        return self._histories[days]


def replay(evaluator: Evaluator, start: int, end: int) -> Iterator[Alert]:
    """What begins and ends at each minute after `start`, up to `end`."""
    for minute in range(start + MINUTE, end + MINUTE, MINUTE):
        yield from evaluator.step(minute)


def days_back(rule: Rule) -> int:
    """How many earlier days a rule looks at, beside its window; 0 where it looks at none."""
    if isinstance(rule, ThresholdRule) and not _looks_for_values(rule):
        return 0
    return _days(rule).history


def _looks_for_values(rule: ThresholdRule) -> bool:
    """Whether it has to find which values there are."""
    return _below_a_number(rule) and not rule.values and any(name != "all" for name in rule.dimensions)


def _below_a_number(rule: Rule) -> bool:
    """Whether what is not there may cross the line of the rule, so that it has to be looked for."""
    return isinstance(rule, ThresholdRule) and rule.below is not None and not rule.is_share()


def _days(rule: Rule) -> _Days:
    if isinstance(rule, ThresholdRule):
        return _Days(_GONE_DAYS, _YOUNG_DAYS)
    return _Days(rule.history_days, rule.min_days)


def _reads(sharing: Iterable[Rule]) -> dict[str, Reads]:
    """What these rules read of each dimension, together; a threshold only which values there are."""
    reads: dict[str, Reads] = {}
    for rule in sharing:
        values = frozenset(rule.values) or None
        for dimension in rule.dimensions:
            seconds = 0 if isinstance(rule, ThresholdRule) else rule.window_minutes * MINUTE
            mine = Reads(seconds, None if dimension == "all" else values)
            reads[dimension] = reads[dimension].also(mine) if dimension in reads else mine
    return reads


def _heaviest(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The verdict of the metric that surges most; calm only where all are."""
    if not verdicts:
        return None
    most = max(verdicts, key=lambda verdict: (verdict.over, verdict.weight))
    calm = all(verdict.calm for verdict in verdicts)
    return Verdict(most.metric, most.over, calm, most.weight, most.evidence)


def _gone(metric: Metric) -> Verdict:
    """Its history is too short by now, or it is gone: nothing to hold an open alert up."""
    return Verdict(metric, over=False, calm=True)


def _judged(rule: Rule, verdict: Verdict, count: Count, start: int, end: int) -> Judged:
    evidence: dict[str, object] = {
        "from": start,
        "to": end,
        "count": {
            "negative": count.negative,
            "neutral": count.neutral,
            "positive": count.positive,
            "total": count.total,
        },
        "negative_share": round(count.share("negative"), 4) if count.total else None,
        **verdict.evidence,
    }
    return Judged(verdict.metric, verdict.over, verdict.calm, rule.calm_minutes, verdict.weight, evidence)
