"""How far the counts are behind: asked of the broker each second, stored with Redis's time.

Without an answer nothing is stored, so that counts which cannot be vouched for look old.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from nifos_stream import logs
from nifos_stream.counters import connect
from nifos_stream.counters.generations import bury_unread
from nifos_stream.counters.store import Level, Store
from nifos_stream.counters.topic import TopicAsker
from nifos_stream.errors import BrokerUnavailable
from nifos_stream.metrics import Metrics

EVERY_SECONDS = 1.0
BURY_EVERY_SECONDS = 10.0
CONFIRMED_SECONDS = 3.0
"""How long an answer of the broker says where a topic ends, for whoever asks whether it was reached."""
_log = logs.get(__name__)


class Sampler:
    """A thread that samples the partitions that `owned` names, and clears away dead generations.

    Where it names none all are sampled: whoever has no share has to know whether the others are done.

    counted: up to where each held partition was counted, as Redis has confirmed; called from the thread.
    classified: (topic, group) of the stage before, whose backlog is stored beside; by the owner of partition
    0 alone.
    """

    def __init__(
        self,
        store: Store,
        asker: TopicAsker,
        topic: str,
        owned: Callable[[], Iterable[int]],
        metrics: Metrics,
        *,
        counted: Callable[[], Mapping[int, int]],
        classified: tuple[str, str],
        silence_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._asker = asker
        self._topic = topic
        self._owned = owned
        self._metrics = metrics
        self._counted = counted
        self._classified = classified
        self._silence_seconds = silence_seconds
        self._now = now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counters-freshness", daemon=True)
        self._buried_at = now()
        self._asked: tuple[float, dict[int, int]] = (-CONFIRMED_SECONDS, {})
        self._others_are_level = False
        self._slipped: frozenset[int] = frozenset()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the sample in hand."""
        self._stop.set()
        self._thread.join()

    def reached(self, positions: Mapping[int, int]) -> bool:
        """Whether these positions are the ends of all owned partitions, by an answer of just now.

        Without a share: whether what Redis holds of every partition reaches its end.
        """
        asked_at, ends = self._asked
        if self._now() - asked_at > CONFIRMED_SECONDS:
            return False
        owned = frozenset(self._owned())
        if not owned:
            return self._others_are_level
        return all(
            partition in ends and positions.get(partition, -1) >= ends[partition] for partition in owned
        )

    def slipped(self) -> frozenset[int]:
        """Partitions whose position in Redis was lost, or is older than what it confirmed; each told once."""
        slipped, self._slipped = self._slipped, frozenset()
        return slipped

    def sample(self) -> None:
        """Ask once and store the answers. BrokerUnavailable or redis's errors when there are none."""
        owned, asked_at = frozenset(self._owned()), self._now()
        ends = self._asker.ends(self._topic, sorted(owned or self._all_partitions()))
        # Asked after the ends: an id never comes back, so these are the ends of this very topic.
        topic = self._asker.now(self._topic)
        if topic is None:
            return
        self._asked, self._others_are_level = (asked_at, ends), False
        # Before Redis is asked: what is counted meanwhile only moves its position on.
        counted = self._counted()
        levels = {}
        for partition, end in ends.items():
            asked_ago_ms = round((self._now() - asked_at) * 1000)
            levels[partition] = self._store.sample(partition, topic.topic_id, end, asked_ago_ms)
        if owned:
            self._show(ends, levels)
        self._others_are_level = not owned and all(
            level is not None and level.position >= ends[partition] for partition, level in levels.items()
        )
        self._slipped = frozenset(
            partition
            for partition, level in levels.items()
            if partition in counted and (level is None or level.position < counted[partition])
        )
        self._store.note_topic(topic.topic_id, topic.partitions)
        if 0 in owned:
            self._store_backlog()

    def _run(self) -> None:
        while not self._stop.is_set():
            started = self._now()
            try:
                self.sample()
                if self._now() - self._buried_at >= BURY_EVERY_SECONDS:
                    self._buried_at = self._now()
                    bury_unread(self._store, self._owned(), self._silence_seconds)
            except (BrokerUnavailable, *connect.TROUBLE) as error:
                _log.debug("freshness.unknown", error=str(error))
            self._stop.wait(max(0.0, EVERY_SECONDS - (self._now() - started)))

    def _all_partitions(self) -> range:
        topic = self._asker.now(self._topic)
        return range(topic.partitions if topic else 0)

    def _store_backlog(self) -> None:
        topic, group = self._classified
        there = self._asker.now(topic)
        if there is None:
            return
        partitions = range(there.partitions)
        done = self._asker.committed(group, topic, partitions)
        if len(done) < there.partitions:
            done = {**self._asker.begins(topic, partitions), **done}
        ends = self._asker.ends(topic, partitions)
        self._store.note_backlog(sum(max(0, end - done[partition]) for partition, end in ends.items()))

    def _show(self, ends: dict[int, int], levels: dict[int, Level | None]) -> None:
        known = {partition: level for partition, level in levels.items() if level is not None}
        if len(known) < len(levels):
            return
        behind = sum(max(0, ends[partition] - level.position) for partition, level in known.items())
        self._metrics.counts_behind.set(behind)
        ages = [level.now - level.level_at for level in known.values() if level.level_at is not None]
        if len(ages) == len(known):
            self._metrics.counts_behind_seconds.set(max(0.0, *ages))
