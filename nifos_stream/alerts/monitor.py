"""The stage that evaluates the rules on the live counts, minute by minute, and publishes what it finds.

One worker at a time does, the others stand by (see ledger.py). A minute is evaluated once the counts are
level with it, so that a classifier or a counter that is behind looks neither like silence nor like calm; what
was missed meanwhile is evaluated afterwards, minute by minute.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from nifos_stream import kafka, logs
from nifos_stream.alerts.counted import Counted
from nifos_stream.alerts.evaluator import Evaluator
from nifos_stream.alerts.event import kinds, of_event, to_event
from nifos_stream.alerts.examples import examples
from nifos_stream.alerts.ledger import Ledger
from nifos_stream.alerts.machine import Alert
from nifos_stream.alerts.numbers import DAY, EVERYTHING, HOUR, MINUTE
from nifos_stream.alerts.shelf import Shelf, shelf_of
from nifos_stream.counters.reader import Counts
from nifos_stream.counters.shapes import Count
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.messages import AlertEvent
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.stage import Health

LOOK_SECONDS = 0.5
BACK_OFF_SECONDS = 1.0
MOST_MISSED_SECONDS = DAY
"""What was missed longer ago is left out; so is what the counts by minute no longer cover."""
RATE_SECONDS = 300
_log = logs.get(__name__)


class _Unread(Exception):
    """The counts, or what readers are shown, cannot be had now: Redis is away, or the counts are rebuilt."""


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise _Unread(str(error)) from error


class Monitor:
    """A Stage. now: a monotonic clock; minutes are those of Redis's clock.

    counts, shelf: those that the settings name, unless given.
    """

    name = "alerts"

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        counts: Counts | None = None,
        shelf: Shelf | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._now = now
        self._kinds = kinds(settings.alerts.rules)
        self._counts = counts or _counts(settings)
        self._shelf = shelf or shelf_of(settings)
        self._numbers = Counted(self._counts, settings.counters.dimensions)
        self._most_missed_seconds = _most_missed_seconds(settings)
        self._evaluator: Evaluator | None = None
        self._evaluated_to: int | None = None
        self._events: dict[str, AlertEvent] = {}
        self._shelved = False
        self._catching_up = False
        self._trouble_since: float | None = None
        self._health = Health(ok=True, ready=True, detail="starting")

    def run(self, stop: threading.Event) -> None:
        """Evaluate until `stop`.

        UserError when the topic is missing or may not be used; BrokerUnavailable when Kafka stayed away for
        `retry_timeout_seconds`.
        """
        topic = self._settings.topics.alerts
        if topic not in kafka.topic_facts(kafka.connect(self._settings.kafka, self._now), [topic]):
            raise UserError(f"Topic {topic} does not exist; `nifos-stream topics create` makes it.")
        ledger = Ledger(self._settings)
        try:
            while not stop.is_set():
                self._round(ledger, stop)
        finally:
            ledger.close()
            self._counts.close()
            self._shelf.close()

    def idle_seconds(self) -> float:
        """Nothing waits for it."""
        return math.inf

    def health(self) -> Health:
        """What it does now; a worker that stands by is as ready as one that evaluates."""
        return self._health

    def _round(self, ledger: Ledger, stop: threading.Event) -> None:
        """Evaluate one minute, if it is this worker's turn and the counts are level with it."""
        try:
            if not ledger.my_turn(0.0 if self._catching_up else LOOK_SECONDS):
                self._stand_by(ledger)
            elif self._evaluator is None:
                self._take_over(ledger)
            else:
                self._evaluate(ledger, self._evaluator)
        except (_Unread, BrokerUnavailable) as error:
            self._wait(error, stop)
        else:
            self._trouble_since = None

    def _stand_by(self, ledger: Ledger) -> None:
        if self._evaluator is not None:
            ledger.give_up()
            self._evaluator = None
        self._metrics.alerts_leading.set(0)
        self._say("another worker evaluates")

    def _take_over(self, ledger: Ledger) -> None:
        """Go on from what was published.

        1. Make sure of Redis.  2. Read the topic.  3. Let readers see it.  4. Find how long open alerts have
        been calm.
        """
        with _reading():
            self._shelf.now()
        past = ledger.take_over()
        rules = self._settings.alerts.rules
        opened = [of_event(event) for event in past.events if event.ended_at is None]
        self._events = {event.id: event for event in past.events}
        self._evaluated_to = past.evaluated_to
        self._shelve()
        most_open = self._settings.alerts.most_open
        evaluator = Evaluator(rules, self._numbers, most_open=most_open, open_alerts=opened)
        if past.evaluated_to is not None and opened:
            for minutes in reversed(range(max((rule.calm_minutes for rule in rules), default=0))):
                with _reading():
                    evaluator.step(past.evaluated_to - minutes * MINUTE, begin=False)
        self._evaluator = evaluator
        self._metrics.alerts_leading.set(1)
        _log.info("alerts.taken_over", open=len(opened), evaluated_to=past.evaluated_to)

    def _evaluate(self, ledger: Ledger, evaluator: Evaluator) -> None:
        """1. Wait for the counts.  2. Judge.  3. Publish.  4. Show."""
        with _reading():
            minute = self._due()
            self._catching_up = minute is not None
            if minute is None:
                return
            changed = [self._event(alert) for alert in evaluator.step(minute)]
        try:
            ledger.publish(changed, minute)
        except BrokerUnavailable:
            self._evaluator = None
            raise
        self._evaluated_to = minute
        self._events |= {event.id: event for event in changed}
        self._note(changed, evaluator)
        if changed or not self._shelved:
            self._shelve(changed)

    def _due(self) -> int | None:
        """The next minute to evaluate; None while there is none, or the counts are not level with it."""
        settings, now = self._settings.alerts, self._shelf.now()
        latest = int((now - settings.settle_seconds) // MINUTE) * MINUTE
        ending = latest - settings.delay_minutes * MINUTE
        done = self._evaluated_to if self._evaluated_to is not None else ending - MINUTE
        minute = max(done + MINUTE, ending - self._most_missed_seconds)
        if minute > ending:
            return None
        complete_at = minute + settings.delay_minutes * MINUTE
        fresh = self._counts.freshness()
        behind = fresh.behind_seconds
        if fresh.rebuilding is not None or behind is None or now - behind < complete_at:
            self._say("waiting for the counts, which are behind")
            return None
        if fresh.backlog and now - self._worth_seconds(fresh.backlog, minute) < complete_at:
            self._say("waiting for posts that are not labelled yet")
            return None
        self._say("evaluating")
        return minute

    def _worth_seconds(self, backlog: int, minute: int) -> float:
        """How long so many posts take to come in, at the rate of the last minutes that are counted."""
        posts = self._numbers.window("all", minute - RATE_SECONDS, minute).get(EVERYTHING, Count()).total
        return backlog / posts * RATE_SECONDS if posts else math.inf

    def _event(self, alert: Alert) -> AlertEvent:
        """The event of an alert, with some posts of its beginning, if they can be had."""
        begun = self._events.get(alert.id)
        posts: object = []
        if begun is not None:
            posts = begun.evidence.get("posts", [])
        else:
            try:
                posts = examples(self._counts, alert)
            except UserError as error:
                _log.warning("alerts.without_posts", detail=str(error))
        alert = replace(alert, evidence={**alert.evidence, "posts": posts})
        kind = self._kinds[alert.subject.rule] if begun is None else begun.kind
        return to_event(alert, kind, self._settings.zone)

    def _shelve(self, changed: Sequence[AlertEvent] = ()) -> None:
        """Let readers see what changed; or all there is, where it is not known what they see."""
        whole, self._shelved = not (changed and self._shelved), False
        self._forget()
        with _reading():
            self._shelf.keep(self._events.values() if whole else changed, these_are_all=whole)
        self._shelved = True

    def _forget(self) -> None:
        """Of those that have ended, remember no more than readers can see."""
        ended = [event.id for event in self._events.values() if event.ended_at is not None]
        for name in ended[: max(0, len(ended) - self._settings.alerts.kept)]:
            del self._events[name]

    def _note(self, changed: list[AlertEvent], evaluator: Evaluator) -> None:
        for event in changed:
            what = "begun" if event.ended_at is None else "ended"
            self._metrics.alerts.labels(rule=event.rule, what=what).inc()
            _log.info(f"alert.{what}", id=event.id, rule=event.rule, dimension=event.dimension)
        self._metrics.alerts_open.set(len(evaluator.machine.open))
        if evaluator.machine.left_out:
            _log.warning("alerts.too_many_open", left_out=evaluator.machine.left_out)

    def _wait(self, error: _Unread | BrokerUnavailable, stop: threading.Event) -> None:
        if self._trouble_since is None:
            self._trouble_since = self._now()
            _log.warning("alerts.interrupted", detail=str(error))
        self._say(str(error))
        if isinstance(error, BrokerUnavailable):
            self._evaluator = None
            if self._now() - self._trouble_since > self._settings.kafka.retry_timeout_seconds:
                raise error
        stop.wait(BACK_OFF_SECONDS)

    def _say(self, detail: str) -> None:
        self._health = Health(ok=True, ready=True, detail=detail)


def _most_missed_seconds(settings: Settings) -> int:
    longest = max((rule.window_minutes for rule in settings.alerts.rules), default=0) * MINUTE
    covered = settings.counters.retention.seconds()["1m"] - longest - HOUR
    return max(0, min(MOST_MISSED_SECONDS, covered))


def _counts(settings: Settings) -> Counts:
    return Counts(
        settings.redis.url.get_secret_value(),
        prefix=settings.counters.prefix,
        timezone=settings.timezone,
        timeout_seconds=settings.redis.timeout_seconds,
    )
