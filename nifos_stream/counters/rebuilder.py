"""Fills a generation per partition under the same compare-and-set as the views, and has it named.

Whatever goes wrong with a partition, it is let go and held anew: its position asked, and the topic read from
there.
"""

import time
from collections.abc import Callable
from typing import Literal

from nifos_stream import logs
from nifos_stream.counters import connect
from nifos_stream.counters.counting import Counting, Held
from nifos_stream.counters.feed import Feed
from nifos_stream.counters.generations import PartitionState
from nifos_stream.counters.store import Opened, Store, Why
from nifos_stream.counters.topic import TopicAsker
from nifos_stream.errors import BrokerUnavailable, NifosError, UserError
from nifos_stream.settings import Settings

_SIGN_EVERY_SECONDS = 30.0
_READ_SECONDS = 0.1
_log = logs.get(__name__)


class Rebuilder:
    """Fills a generation per partition and has it named; one `step` after the other until `finished`."""

    def __init__(
        self,
        settings: Settings,
        feed: Feed,
        counting: Counting,
        store: Store,
        asker: TopicAsker,
        *,
        force: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """force: go on over records that the topic loses before they were counted; else UserError.

        Forced, it also gives up at once what was counted of a topic that is shorter now: no new counts would
        ever be level with that.
        """
        self._settings = settings
        self._topic = settings.topics.sentiment
        self._feed = feed
        self._counting = counting
        self._store = store
        self._asker = asker
        self._force = force
        self._now = now
        self._generations: dict[int, int] = {}
        self._begins: dict[int, int] = {}
        self._targets: dict[int, int] = {}
        self._naming = False
        self._named: set[int] = set()
        self._sign_at = now()
        self._trouble_since: float | None = None
        self.events = 0

    @property
    def finished(self) -> bool:
        """Whether every partition's new generation is read."""
        return self._named >= self._feed.owned

    @property
    def fraction(self) -> float:
        """Part of the topic counted anew, 0 to 1."""
        whole = sum(target - self._begins[partition] for partition, target in self._targets.items())
        held = self._counting.held
        left = sum(
            max(0, target - held[partition].position)
            if partition in held
            else target - self._begins[partition]
            for partition, target in self._targets.items()
            if partition not in self._named
        )
        return 1.0 if self.finished else min(1.0, max(0.0, 1 - left / whole)) if whole else 0.0

    def step(self) -> None:
        """Count what comes next.

        1. Hold what is not held.  2. Read.  3. Make sure that it is of the same topic.  4. Count.
        5. Have what is level named.
        """
        try:
            self._hold()
            slices = self._feed.read(self._settings.counters.batch_events, _READ_SECONDS)
            topic = self._asker.now(self._topic) if slices else None
            for part in slices:
                held = self._counting.held[part.partition]
                if topic is None or topic.topic_id != held.topic_id:
                    self._let_go(part.partition)
                elif (why := self._counting.count(part)) is None:
                    self.events += len(part.values)
                else:
                    self._give_up(part.partition, why)
            self._name_level()
        except (*connect.TROUBLE, BrokerUnavailable) as error:
            self._wait(error)
        else:
            self._trouble_since = None

    def abandon(self) -> None:
        """Delete what is not read."""
        for partition, generation in self._generations.items():
            if partition not in self._named:
                self._store.bury(partition, generation, 0.0)

    def _hold(self) -> None:
        waiting = self._feed.waiting - self._named
        if not waiting:
            return
        topic = self._asker.now(self._topic)
        if topic is None:
            raise BrokerUnavailable(f"Topic {self._topic} does not exist any more.")
        self._store.note_topic(topic.topic_id, topic.partitions)
        begins, ends = self._asker.begins(self._topic, waiting), self._asker.ends(self._topic, waiting)
        for partition in waiting:
            position = self._position(partition, topic.topic_id)
            if position is None:
                mode: Literal["renew", "rebuild"] = (
                    "renew" if self._force and self._shorter(partition, topic.topic_id) else "rebuild"
                )
                opened = self._store.open(partition, topic.topic_id, begins[partition], ends[partition], mode)
                assert isinstance(opened, Opened)  # noqa: S101 - a rebuild begins its own, by any rules
                self._generations[partition], position = opened.generation, opened.position
            self._begins[partition], self._targets[partition] = begins[partition], ends[partition]
            held = Held(self._generations[partition], topic.topic_id, position)
            self._counting.held[partition] = held
            self._begin(partition, begins[partition])

    def _shorter(self, partition: int, topic_id: str) -> bool:
        """Whether the topic ends before what was counted of it; its end asked last, as both grow."""
        read = PartitionState.of(self._store.state(partition)).read
        if read is None or read.position is None or read.topic_id != topic_id:
            return False
        return self._asker.ends(self._topic, [partition])[partition] < read.position

    def _begin(self, partition: int, first: int) -> None:
        position = self._counting.held[partition].position
        if position < first:
            if not self._force:
                raise UserError(
                    f"The topic lost {first - position} records before they were counted again."
                    " --force rebuilds without them."
                )
            if self._counting.skip(partition, first) is None:
                return
        self._feed.begin_at(partition, max(position, first))

    def _position(self, partition: int, topic_id: str) -> int | None:
        """Where the generation in hand stands in Redis; None when it is not there, or of another topic."""
        generation = self._generations.get(partition)
        if generation is None:
            return None
        found = PartitionState.of(self._store.state(partition)).generations.get(generation)
        return found.position if found is not None and found.topic_id == topic_id else None

    def _name_level(self) -> None:
        """Once all are level, ask for what has reached its target; now and then give a sign of life."""
        sign = self._now() - self._sign_at >= _SIGN_EVERY_SECONDS
        if sign:
            self._sign_at = self._now()
        self._naming = self._naming or self._all_level()
        if not self._naming:
            for partition in list(self._counting.held) if sign else ():
                if why := self._counting.renew(partition):
                    self._give_up(partition, why)
            return
        for partition, held in list(self._counting.held.items()):
            if partition in self._named or (held.position < self._targets[partition] and not sign):
                continue
            answer = self._store.name(partition, held.generation)
            if answer is None:
                self._named.add(partition)
                self._feed.halt(partition)
                _log.info("generation.named", partition=partition, generation=held.generation)
            elif isinstance(answer, Why):
                self._give_up(partition, answer)
            else:
                self._targets[partition] = max(self._targets[partition], answer)

    def _all_level(self) -> bool:
        """Whether all can be named within moments: partitions of different rules cannot be read together."""
        left, held = self._feed.owned - self._named, self._counting.held
        if any(p not in held or held[p].position < self._targets[p] for p in left):
            return False
        ends = self._asker.ends(self._topic, left)
        if all(ends[p] - held[p].position <= self._settings.counters.batch_events for p in left):
            return True
        self._targets |= ends
        return False

    def _give_up(self, partition: int, why: Why) -> None:
        """Another rebuild was faster, or Redis or the topic is not what it was: then once more."""
        if why is Why.OLDER:
            read = PartitionState.of(self._store.state(partition)).read
            if read is not None and read.fingerprint != self._store.fingerprint:
                raise UserError("Another rebuild, with other settings, was finished first.")
            self._named.add(partition)
        self._let_go(partition)

    def _let_go(self, partition: int) -> None:
        self._counting.held.pop(partition, None)
        self._feed.halt(partition)

    def _wait(self, error: Exception) -> None:
        since = self._trouble_since = self._now() if self._trouble_since is None else self._trouble_since
        if self._now() - since > self._settings.kafka.retry_timeout_seconds:
            raise NifosError(f"The rebuild was interrupted for too long: {error}") from error
        for partition in self._feed.owned:
            self._let_go(partition)
        self._feed.read(1, 1.0)
