"""The stage that evaluates the rules on the live counts, minute by minute, and publishes what it finds.

One worker at a time does, the others stand by (see ledger.py). A minute is evaluated once the counts are
level with it, so that a classifier or a counter that is behind looks neither like silence nor like calm; what
was missed meanwhile is evaluated afterwards, minute by minute, as far back as it still can be read.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nifos_stream import kafka, logs
from nifos_stream.alerts import gaps
from nifos_stream.alerts.condition import Condition
from nifos_stream.alerts.counted import Counted, counts_of
from nifos_stream.alerts.evaluator import Evaluator
from nifos_stream.alerts.event import of_event
from nifos_stream.alerts.gaps import Gap
from nifos_stream.alerts.ledger import Ledger, Mark
from nifos_stream.alerts.machine import Alert
from nifos_stream.alerts.numbers import MINUTE
from nifos_stream.alerts.reach import reach_of
from nifos_stream.alerts.schedule import Due, Schedule, Waiting
from nifos_stream.alerts.shelf import Shelf, shelf_of
from nifos_stream.alerts.shown import Overtaken, Shown
from nifos_stream.alerts.teller import Teller, Words
from nifos_stream.counters.reader import Counts
from nifos_stream.errors import BrokerUnavailable, Stopped, UserError
from nifos_stream.messages import AlertEvent
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.stage import Health

LOOK_SECONDS = 0.5
BACK_OFF_SECONDS = 1.0
_log = logs.get(__name__)


class _Unread(Exception):
    """The counts, or what readers are shown, cannot be had now: Redis is away, or the counts are rebuilt."""


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise _Unread(str(error)) from error


@dataclass(slots=True)
class _Turn:
    """This worker evaluates. again: the next minute to go through again before it goes on from `mark`."""

    evaluator: Evaluator
    shown: Shown
    mark: Mark
    again: int | None


class Monitor:
    """A Stage. now: a monotonic clock; minutes are those of Redis's clock.

    words: finds words for the evidence of alerts. counts, shelf: those that the settings name, unless given.
    UserError when a rule reads further back than
    the counts are kept.
    """

    name = "alerts"

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        words: Callable[[], Words] | None = None,
        counts: Counts | None = None,
        shelf: Shelf | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        reach = reach_of(settings)
        self._settings = settings
        self._metrics = metrics
        self._now = now
        self._counts = counts or counts_of(settings)
        self._shelf = shelf or shelf_of(settings)
        self._numbers = Counted(self._counts, settings.counters.dimensions)
        self._schedule = Schedule(settings.alerts, self._counts, self._numbers, reach)
        self._teller = Teller(self._counts, settings, words)
        self._turn: _Turn | None = None
        self._catching_up = False
        self._condition = Condition(now)
        self._kafka_away_since: float | None = None

    def run(self, stop: threading.Event) -> None:
        """Evaluate until `stop`.

        UserError when the topic is missing or may not be used; BrokerUnavailable when Kafka stayed away for
        `retry_timeout_seconds`.
        """
        topic = self._settings.topics.alerts
        admin = kafka.connect(self._settings.kafka, self._now, told_to_stop=stop.is_set)
        if topic not in kafka.topic_facts(admin, [topic]):
            raise UserError(f"Topic {topic} does not exist; `nifos-stream topics create` makes it.")
        self._kafka_away_since = None
        ledger = Ledger(self._settings)
        try:
            while not stop.is_set():
                self._round(ledger, stop)
        finally:
            self._end_turn(ledger)
            ledger.close()
            self._counts.close()
            self._shelf.close()

    def idle_seconds(self) -> float:
        """Nothing waits for it."""
        return math.inf

    def health(self) -> Health:
        """What it does now; a worker that stands by is as ready as one that evaluates."""
        return self._condition.health

    def _round(self, ledger: Ledger, stop: threading.Event) -> None:
        """Do one thing: take over, go through one minute again, or evaluate one; so that Kafka is polled."""
        try:
            if not ledger.my_turn(0.0 if self._catching_up else LOOK_SECONDS):
                self._end_turn(ledger)
                self._condition.goes_on("another worker evaluates")
            elif self._turn is None:
                self._take_over(ledger, stop)
            elif self._turn.again is not None:
                self._go_through_again(self._turn, self._turn.again)
            else:
                self._evaluate(ledger, self._turn)
        except (_Unread, BrokerUnavailable, Overtaken) as error:
            self._wait(error, ledger, stop)
        except Stopped:
            self._end_turn(ledger)
        else:
            self._kafka_away_since = None

    def _end_turn(self, ledger: Ledger) -> None:
        ledger.give_up()
        self._teller.rest()
        self._turn, self._catching_up = None, False
        self._metrics.alerts_leading.set(0)
        self._metrics.alerts_open.clear()

    def _take_over(self, ledger: Ledger, stop: threading.Event) -> None:
        """Go on from what was published.

        1. Make sure of Redis.  2. Read the topic.  3. Let readers see it.  4. See which minutes have to be
        gone through again, to find how long open alerts have been calm.
        """
        with _reading():
            there = self._shelf.version()
        past = ledger.take_over(there.epoch if there is not None else 0, stop.is_set)
        settings, mark = self._settings.alerts, past.mark
        shown = Shown(self._shelf, past.events, epoch=mark.epoch, kept=settings.kept)
        with _reading():
            shown.show_all()
        opened = [of_event(event) for event in past.events if event.ended_at is None]
        again = None
        if mark.evaluated_to is not None and opened:
            again = mark.evaluated_to - (self._longest_calm(opened) - 1) * MINUTE
        self._turn = _Turn(self._evaluator(opened), shown, mark, again)
        self._catching_up = again is not None
        self._metrics.alerts_leading.set(1)
        self._count_open(self._turn.evaluator)
        _log.info("alerts.taken_over", open=len(opened), evaluated_to=mark.evaluated_to, epoch=mark.epoch)

    def _evaluator(self, opened: Iterable[Alert]) -> Evaluator:
        settings = self._settings.alerts
        return Evaluator(settings.rules, self._numbers, most_open=settings.most_open, open_alerts=opened)

    def _longest_calm(self, opened: Iterable[Alert]) -> int:
        names = {alert.subject.rule for alert in opened}
        judging = [rule for rule in self._settings.alerts.rules if rule.name in names]
        return max((rule.calm_minutes for rule in judging), default=0)

    def _go_through_again(self, turn: _Turn, minute: int) -> None:
        """One minute that was evaluated before, or the first that still can be read."""
        done = turn.mark.evaluated_to or 0
        with _reading():
            minute = max(minute, self._schedule.oldest_readable(self._shelf.now()))
            if minute <= done:
                turn.evaluator.step(minute, begin=False)
        turn.again = minute + MINUTE if minute < done else None
        self._condition.goes_on("taking over")

    def _evaluate(self, ledger: Ledger, turn: _Turn) -> None:
        """1. See what readers see.  2. Wait for the counts.  3. Judge.  4. Publish.  5. Show."""
        with _reading():
            turn.shown.mend()
            due = self._schedule.next(self._shelf.now(), turn.mark.evaluated_to)
            self._catching_up = isinstance(due, Due)
            if not self._catching_up:
                self._teller.rest()
            if isinstance(due, Waiting):
                self._condition.hindered(due.why)
                return
            if due is None:
                self._condition.goes_on("evaluating")
                return
            if due.left_out is not None:
                self._leave_out(turn, *due.left_out)
            mark = replace(turn.mark, evaluated_to=due.minute)
            changed = [
                self._teller.event(alert, turn.shown.events.get(alert.id), mark.gaps)
                for alert in turn.evaluator.step(due.minute)
            ]
        turn.mark = mark = replace(mark, gaps=self._gaps_of_open(turn))
        ledger.publish(changed, mark)
        self._condition.goes_on("evaluating")
        self._note(changed, turn.evaluator)
        if due.left_out is not None:
            start, end = due.left_out
            _log.warning("alerts.minutes_left_out", after=start, to=end, minutes=(end - start) // MINUTE)
        with _reading():
            turn.shown.show(changed)

    def _leave_out(self, turn: _Turn, start: int, end: int) -> None:
        """Nobody can tell what was in these minutes: whether an alert was calm is found from the next on."""
        turn.evaluator = self._evaluator(turn.evaluator.machine.open.values())
        turn.mark = replace(turn.mark, gaps=gaps.added(turn.mark.gaps, start, end))

    @staticmethod
    def _gaps_of_open(turn: _Turn) -> tuple[Gap, ...]:
        """The minutes that were left out while an alert was open that still is."""
        opened = turn.evaluator.machine.open.values()
        first = min((alert.started_at for alert in opened), default=math.inf)
        return gaps.during(turn.mark.gaps, first)

    def _note(self, changed: list[AlertEvent], evaluator: Evaluator) -> None:
        for event in changed:
            what = "begun" if event.ended_at is None else "ended"
            self._metrics.alerts.labels(rule=event.rule, what=what).inc()
            _log.info(f"alert.{what}", id=event.id, rule=event.rule, dimension=event.dimension)
        self._count_open(evaluator)
        if evaluator.machine.left_out:
            _log.warning("alerts.too_many_open", left_out=evaluator.machine.left_out)

    def _count_open(self, evaluator: Evaluator) -> None:
        """For each rule that there is, so that none that ended is left behind."""
        opened = Counter(subject.rule for subject in evaluator.machine.open)
        for rule in self._settings.alerts.rules:
            self._metrics.alerts_open.labels(rule=rule.name).set(opened[rule.name])

    def _wait(self, error: Exception, ledger: Ledger, stop: threading.Event) -> None:
        self._condition.hindered(error)
        if not isinstance(error, _Unread):
            self._end_turn(ledger)
        if isinstance(error, BrokerUnavailable):
            if self._kafka_away_since is None:
                self._kafka_away_since = self._now()
            if self._now() - self._kafka_away_since > self._settings.kafka.retry_timeout_seconds:
                raise error
        stop.wait(BACK_OFF_SECONDS)
