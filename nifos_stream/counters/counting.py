"""Count slices of the topic into one generation per partition. Knows the store and events, no consumer.

What a view and a rebuilder share: where each partition stands, and what a refusal means for it.
"""

from collections import Counter
from dataclasses import dataclass

from nifos_stream import logs
from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.event import NotAnEvent, Skip, decode
from nifos_stream.counters.feed import Slice
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.samples import Keeping
from nifos_stream.counters.store import Batch, Store, Why
from nifos_stream.counters.tally import Tally
from nifos_stream.metrics import Metrics

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A generation of a partition that is being filled, and the offset that it has counted up to."""

    generation: int
    topic_id: str
    position: int


class Counting:
    """Turns slices into batches and applies them; remembers what it holds."""

    def __init__(
        self, store: Store, rules: Rules, metrics: Metrics, *, max_events: int, rebuilding: bool = False
    ) -> None:
        self._store = store
        self._rules = rules
        self._calendar = Calendar(rules.timezone)
        self._metrics = metrics
        self._max_events = max_events
        self._rebuilding = rebuilding
        self.held: dict[int, Held] = {}

    @property
    def positions(self) -> dict[int, int]:
        """Up to which offset each held partition is counted."""
        return {partition: held.position for partition, held in self.held.items()}

    def count(self, part: Slice) -> Why | None:
        """Count what was read of a partition; None, or why it was refused, and then it is held no more.

        The Redis client's errors leave it unclear whether a call was done: hold the partition anew then.
        """
        start = self.held[part.partition].position
        tally, keeping = self._begin(part.partition)
        skipped: Counter[Skip] = Counter()
        for value, offset in zip(part.values, part.offsets, strict=True):
            if tally.full or tally.events >= self._max_events:
                if why := self._apply(part.partition, start, offset, tally, keeping):
                    return why
                start = offset
                tally, keeping = self._begin(part.partition)
            try:
                event = decode(value, self._calendar.zone, self._rules.future_tolerance_seconds)
            except NotAnEvent as error:
                skipped[error.reason] += 1
                continue
            tally.add(event)
            keeping.add(event, offset, value or b"")
        self._tell(skipped, part)
        return self._apply(part.partition, start, part.end, tally, keeping)

    def renew(self, partition: int) -> Why | None:
        """Give a sign that it is being filled though nothing came to count; as `count` when refused."""
        position = self.held[partition].position
        return self._apply(partition, position, position, *self._begin(partition))

    def skip(self, partition: int, end: int) -> int | None:
        """Move the position to `end` over records that are gone: how many offsets; None when refused."""
        start = self.held[partition].position
        if self._apply(partition, start, end, *self._begin(partition)) is not None:
            return None
        self._metrics.events_lost.inc(end - start)
        _log.error("events.lost", partition=partition, start=start, end=end)
        return end - start

    def _tell(self, skipped: Counter[Skip], part: Slice) -> None:
        for reason, records in skipped.items():
            self._metrics.events_skipped.labels(reason).inc(records)
            _log.warning(
                "events.skipped",
                partition=part.partition,
                before=part.end,
                reason=str(reason),
                records=records,
            )

    def _begin(self, partition: int) -> tuple[Tally, Keeping]:
        """An empty batch, to go on from where the partition stands."""
        held, store = self.held[partition], self._store
        bars = store.bars(partition, held.generation, held.topic_id, held.position)
        keeping = Keeping(self._rules, self._calendar, bars, store.redis_seconds)
        return Tally(self._rules, self._calendar), keeping

    def _apply(self, partition: int, start: int, end: int, tally: Tally, keeping: Keeping) -> Why | None:
        held = self.held[partition]
        batch = Batch(start, end, tally.since, tally.buckets(self._store.redis_seconds), keeping.kept())
        with self._metrics.apply_seconds.time():
            why = self._store.apply(
                partition, held.generation, held.topic_id, batch, rebuilding=self._rebuilding
            )
        if why is not None:
            del self.held[partition]
            self._metrics.apply_refused.labels(why).inc()
            _log.warning("batch.refused", partition=partition, start=start, end=end, why=str(why))
            return why
        self.held[partition] = Held(held.generation, held.topic_id, end)
        self._metrics.events_counted.inc(tally.events)
        self._metrics.future_events.inc(tally.not_believed)
        return None
