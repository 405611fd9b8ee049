"""Which partitions a view holds: asked of Redis where to go on, checked against what the topic still has."""

import time
from collections.abc import Callable, Collection, Sequence

from nifos_stream import logs
from nifos_stream.counters.counting import Counting, Held
from nifos_stream.counters.feed import Feed, Slice
from nifos_stream.counters.generations import PartitionState
from nifos_stream.counters.store import Opened, Store, Why
from nifos_stream.counters.topic import TopicAsker
from nifos_stream.errors import BrokerUnavailable, UserError

SHORTER_SECONDS = 10.0
"""A topic that ends before what was counted of it must do so for this long: a new leader may lag a moment."""
REBUILD_NEEDED = (
    "The counts in Redis were made with other settings of what is counted;"
    " `nifos-stream counters rebuild` counts again with these."
)
_log = logs.get(__name__)


class Holding:
    """Takes hold of the partitions that `feed` waits to begin.

    lost: events that were trimmed from the topic before they were counted.
    """

    def __init__(
        self,
        topic: str,
        feed: Feed,
        counting: Counting,
        store: Store,
        asker: TopicAsker,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topic = topic
        self._feed = feed
        self._counting = counting
        self._store = store
        self._asker = asker
        self._now = now
        self._shorter_since: dict[int, float] = {}
        self.lost = 0

    def hold(self) -> None:
        """Begin what waits at its position in Redis.

        BrokerUnavailable when Kafka does not say what the topic has; UserError when the counts were made by
        other rules, or of more than the topic has at either end; redis's errors.
        """
        waiting = self._feed.waiting
        if not waiting:
            return
        topic = self._asker.now(self._topic)
        if topic is None:
            raise BrokerUnavailable(f"Topic {self._topic} does not exist any more.")
        self._store.note_topic(topic.topic_id, topic.partitions)
        there = [partition for partition in waiting if partition < topic.partitions]
        begins, ends = self._asker.begins(self._topic, there), self._asker.ends(self._topic, there)
        for partition in there:
            begin, end = begins[partition], ends[partition]
            opened = self._open(partition, topic.topic_id, begin, end)
            if opened is not None:
                held = Held(opened.generation, topic.topic_id, opened.position)
                self._counting.held[partition] = held
                self._begin(partition, begin)

    def of_this_topic(self, slices: Sequence[Slice]) -> list[Slice]:
        """Those slices that are of the topic held; the rest is let go.

        Asked after reading: a client goes on reading a topic that was deleted and created again as if it were
        the same, but an id never comes back, so what was read while it still stands is of that topic.
        """
        topic = self._asker.now(self._topic)
        kept = []
        for part in slices:
            held = self._counting.held.get(part.partition)
            if held is not None and topic is not None and held.topic_id == topic.topic_id:
                kept.append(part)
            else:
                _log.warning("topic.changed", partition=part.partition)
                self._counting.held.pop(part.partition, None)
                self._feed.halt(part.partition)
        return kept

    def let_go(self, partitions: Collection[int] | None = None) -> None:
        """Hold these no more, by default none at all, until Redis has said again where they stand."""
        if partitions is None:
            partitions = self._feed.owned | self._counting.held.keys()
        for partition in partitions:
            self._counting.held.pop(partition, None)
            self._feed.halt(partition)

    def _open(self, partition: int, topic_id: str, begin: int, end: int) -> Opened | None:
        """Where to go on; None while the topic ends before that and may still turn out not to."""
        opened = self._store.open(partition, topic_id, begin, end)
        if isinstance(opened, Why):
            raise UserError(REBUILD_NEEDED)
        if opened.position <= end:
            self._shorter_since.pop(partition, None)
        else:
            since = self._shorter_since.setdefault(partition, self._now())
            if self._now() - since < SHORTER_SECONDS:
                return None
            _log.error("topic.shorter", partition=partition, counted_to=opened.position, end=end)
            self._refuse_loss(partition, opened, begin, end)
            renewed = self._store.open(partition, topic_id, begin, end, "renew")
            assert isinstance(renewed, Opened)  # noqa: S101 - it has no rules to differ from
            opened = renewed
        if opened.begun:
            _log.info("generation.begun", partition=partition, generation=opened.generation, at=begin)
        return opened

    def _refuse_loss(self, partition: int, opened: Opened, begin: int, end: int) -> None:
        """Counts that reach further back than the topic cannot be made from it again."""
        counted = PartitionState.of(self._store.state(partition)).generations.get(opened.generation)
        if counted is not None and begin > counted.begin:
            raise UserError(
                f"Partition {partition} of topic {self._topic} was counted from offset {counted.begin} to"
                f" {opened.position}, but the topic has {begin} to {end}: counting it again would lose the"
                " older counts. `nifos-stream counters rebuild --force` does so."
            )

    def _begin(self, partition: int, first: int) -> None:
        """Begin at the position held, or at the first offset that the topic still has."""
        if self._counting.held[partition].position < first:
            gone = self._counting.skip(partition, first)
            if gone is None:
                return
            self.lost += gone
        position = self._counting.held[partition].position
        if self._feed.begin_at(partition, position):
            # Told now, too: with nothing more to count, the group's lag would never come down to Redis's.
            self._feed.commit({partition: position})
