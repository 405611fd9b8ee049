"""See how the stage is: idle, behind, cut off, flooded with bad messages, robbed of posts. Moves no row."""

import math
import time
from collections.abc import Callable

from nifos_stream import logs
from nifos_stream.errors import BrokerUnavailable, PoisonStorm
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.stage import Health
from nifos_stream.stream.ends import Answer, Ends
from nifos_stream.stream.gauges import Gauges
from nifos_stream.stream.ownership import Ownership
from nifos_stream.stream.source import Source
from nifos_stream.stream.storm import Storm
from nifos_stream.stream.trimming import Trimming

log = logs.get("stream")

_QUIET_SECONDS = 0.5
_SILENT_SECONDS = 10.0
_REMIND_SECONDS = 60.0


class Lookout:
    """What the stage knows of itself, looked at between two turns of its loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        partitions: int,
        source: Source,
        ownership: Ownership,
        ends: Ends,
        trimming: Trimming,
        storm: Storm,
        gauges: Gauges,
        metrics: Metrics,
        until_idle: bool,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """partitions: of the posts topic.

        until_idle: the worker ends once it is idle, so a storm of bad messages ends it too.
        """
        self._settings = settings
        self._partitions = partitions
        self._source = source
        self._ownership = ownership
        self._ends = ends
        self._trimming = trimming
        self._storm = storm
        self._gauges = gauges
        self._metrics = metrics
        self._until_idle = until_idle
        self._now = now
        self._troubles: dict[str, str] = {}
        self._ready = False
        self._group_is_done = False
        self._idle_since: float | None = None
        self._quiet_since = now()
        self._reminded_at = -math.inf

    def look(self, *, busy: bool) -> dict[int, int]:
        """Look around. busy: whether rows wait or are in hand.

        Returns offsets to commit although no row goes with them: a partition's end, once it has been quiet,
        where markers of transactions follow the last row. BrokerUnavailable, PoisonStorm.
        """
        if answer := self._ends.look(self._source.standings or range(self._partitions)):
            self._heed(answer)
        silent = self._ends.silent_seconds
        if silent > self._settings.kafka.retry_timeout_seconds:
            raise BrokerUnavailable(f"Kafka has not answered for {silent:.0f} s.")
        self._ready = self._source.settled(self._ends.answering_seconds) and silent < _SILENT_SECONDS
        if self._storm.active:
            self._complain()
        if busy or not self._ready or self._storm.active:
            self._idle_since = None
            self._quiet_since = self._now()
            return {}
        standings = self._source.standings.values()
        uncommitted = self._uncommitted_ends()
        # Without a share there is nothing to do, but until the others are done there may be a share again.
        if uncommitted or not (
            all(standing.at_end for standing in standings) if standings else self._group_is_done
        ):
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = self._now()
        return uncommitted if self._now() - self._quiet_since >= _QUIET_SECONDS else {}

    def idle_seconds(self) -> float:
        """Seconds since every owned partition was at its end, committed, with nothing in hand.

        Of a worker that owns none: since the whole group has read and committed all there is.
        """
        since = self._idle_since
        return 0.0 if since is None else self._now() - since

    def health(self) -> Health:
        """Red in a storm of bad messages, when posts were lost, and when the model fails."""
        troubles = list(self._troubles.values())
        detail = " ".join(troubles) or ("well" if self._ready else "waiting for Kafka")
        return Health(not troubles, self._ready and not self._storm.active, detail)

    def model_failed(self) -> None:
        """The model gave no number for a post."""
        self._troubles["model"] = "The model gave no number for some posts; they are dead letters."

    def _uncommitted_ends(self) -> dict[int, int]:
        committed = self._ownership.committed()
        return {
            partition: standing.position
            for partition, standing in self._source.standings.items()
            if standing.at_end
            and standing.position is not None
            and standing.position != committed.get(partition)
        }

    def _heed(self, answer: Answer) -> None:
        """Take in where the topic begins and ends."""
        standings, committed = self._source.standings, self._ownership.committed()
        self._group_is_done = not standings and self._ready and self._is_all_committed(answer)
        positions = {
            partition: committed.get(partition, standing.position or answer.starts.get(partition, 0))
            for partition, standing in standings.items()
        }
        self._gauges.lag(answer.ends, positions, standings)
        for partition, count in self._trimming.settle(answer.starts).items():
            self._metrics.posts_lost.inc(count)
            log.error("posts.lost", partition=partition, offsets=count)
            self._troubles["lost"] = "Kafka deleted posts before they were read (nifos_posts_lost_total)."

    def _is_all_committed(self, answer: Answer) -> bool:
        """Of all partitions: the answer may be to a question from when this worker still had some of them."""
        partitions = range(self._partitions)
        if not answer.ends.keys() >= set(partitions):
            return False
        committed = self._source.committed(partitions)
        return committed is not None and all(
            committed.get(partition, answer.starts[partition]) >= answer.ends[partition]
            for partition in partitions
        )

    def _complain(self) -> None:
        window, topic = self._settings.stream.poison_window, self._settings.topics.posts
        sentence = (
            f"{self._storm.share:.0%} of the last {window} messages of {topic} are bad: reading has stopped;"
            " mend their source, or restart with --accept-bad to let them through."
        )
        self._troubles["storm"] = sentence
        self._metrics.storm.set(1)
        if self._until_idle:
            raise PoisonStorm(sentence)
        if self._now() - self._reminded_at >= _REMIND_SECONDS:
            self._reminded_at = self._now()
            log.error("storm.stopped", detail=sentence)
