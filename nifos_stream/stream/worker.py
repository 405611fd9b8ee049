"""The classifying stage: posts topic to labelled topic. Knows how its parts fit, and little of each."""

import datetime as dt
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from confluent_kafka.admin import AdminClient

from nifos_stream import __version__, logs
from nifos_stream.errors import BrokerUnavailable, PoisonStorm, Reason
from nifos_stream.messages import ModelRef, Post
from nifos_stream.metrics import Metrics
from nifos_stream.model.reading import ModelInfo, Reading, Unread
from nifos_stream.settings import Settings
from nifos_stream.stage import Health
from nifos_stream.stream import clients
from nifos_stream.stream.batch import Batch, Row
from nifos_stream.stream.batcher import Batcher, Pace
from nifos_stream.stream.ends import Answer, Ends
from nifos_stream.stream.gauges import Gauges
from nifos_stream.stream.lanes import Job, Lanes
from nifos_stream.stream.outbox import Destination, Outbox
from nifos_stream.stream.ownership import Ownership
from nifos_stream.stream.plain import PlainSink
from nifos_stream.stream.sink import Parcel, Published, Sink
from nifos_stream.stream.source import Source
from nifos_stream.stream.storm import Storm
from nifos_stream.stream.transactional import TransactionalSink
from nifos_stream.stream.trimming import Trimming

log = logs.get("stream")

_POLL_SECONDS = 0.1
_SOON_SECONDS = 0.005
_UNPOLLED_SECONDS = 0.5
_QUIET_SECONDS = 0.5
_SILENT_SECONDS = 10.0
_REMIND_SECONDS = 60.0


class Classifier(Protocol):
    """What the stage asks of a model."""

    info: ModelInfo
    device: str
    dtype: str
    stats: Any

    def prepare(self, texts: Sequence[str]) -> Any:
        """Do what needs no device."""

    def forward(self, prepared: Any) -> list[Reading | Unread]:
        """One reading per text, in order."""


def _utcnow() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class ClassifyStage:
    """Reads posts, labels them and publishes events, dead letters and offsets together."""

    name = "classify"

    def __init__(
        self,
        settings: Settings,
        classifier: Classifier,
        metrics: Metrics,
        *,
        until_idle: bool = False,
        matched_keywords: Callable[[Post], Sequence[str]] = lambda _post: (),
    ) -> None:
        """until_idle: the worker ends once it is idle, so a storm of bad messages ends it too."""
        self._settings = settings
        self._classifier = classifier
        self._metrics = metrics
        self._until_idle = until_idle
        self._matched_keywords = matched_keywords
        stream = settings.stream
        self._ownership = Ownership(handover_seconds=stream.handover_timeout_seconds)
        self._pace = Pace(seconds=stream.batch_seconds, most=stream.batch_posts)
        self._batcher = Batcher(
            pace=self._pace, max_bytes=stream.batch_bytes, max_wait_seconds=stream.max_wait_seconds
        )
        self._trimming = Trimming()
        self._storm = Storm(
            ratio=stream.poison_ratio, window=stream.poison_window, accept_bad=stream.accept_bad
        )
        self._gauges = Gauges(metrics, batch_posts=stream.batch_posts)
        self._troubles: dict[str, str] = {}
        self._ready = False
        self._idle_since: float | None = None
        self._labelled = 0
        self._reminded_at = -math.inf
        self._quiet_since = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then finish or abort the batch in hand and leave the group.

        UserError before anything is read; BrokerUnavailable when Kafka stays away; PoisonStorm.
        """
        self._open()
        try:
            while not stop.is_set() and self._lanes.failure is None:
                self._turn()
                self._look()
            self._finish()
        finally:
            self._close()
        if self._lanes.failure is not None:
            raise self._lanes.failure

    def idle_seconds(self) -> float:
        """Seconds since every owned partition was at its end with nothing in hand; 0 while there is work."""
        since = self._idle_since
        return 0.0 if since is None else time.monotonic() - since

    def health(self) -> Health:
        """Red in a storm of bad messages, when posts were lost, and when the model fails."""
        troubles = list(self._troubles.values())
        return Health(not troubles, self._ready and not self._storm.active, " ".join(troubles) or "well")

    def _open(self) -> None:
        settings, stream, topics = self._settings, self._settings.stream, self._settings.topics
        admin, facts = clients.connect(settings)
        events, letters = facts[topics.sentiment], facts[topics.dead_letters]
        info = self._classifier.info
        self._outbox = Outbox(
            events=Destination(events.name, events.partitions),
            letters=Destination(letters.name, letters.partitions),
            model=ModelRef(name=info.name, revision=info.revision),
            version=__version__,
            matched_keywords=self._matched_keywords,
            utcnow=_utcnow,
        )
        consumer = clients.open_consumer(settings)
        properties = clients.producer_properties(
            settings, events.max_message_bytes, letters.max_message_bytes
        )
        self._sink = self._make_sink(admin, properties)
        self._sink.open(settings.kafka.startup_timeout_seconds)
        self._ends = Ends(admin, topics.posts, on_ask=self._trimming.asking)
        self._source = Source(
            consumer,
            topics.posts,
            self._ownership,
            group_id=stream.group_id,
            timezone=settings.zone,
            trimming=self._trimming,
            on_gone=self._batcher.drop,
        )
        self._lanes = Lanes(forward=self._forward, publish=self._publish)
        self._gauges.opened(self._classifier)

    def _make_sink(self, admin: AdminClient, properties: dict[str, Any]) -> Sink:
        stream, topic = self._settings.stream, self._settings.topics.posts
        common: dict[str, Any] = {
            "open_producer": lambda: clients.open_producer(properties),
            "too_large": self._outbox.too_large,
            "step_seconds": stream.transaction_timeout_seconds,
            "patience_seconds": self._settings.kafka.retry_timeout_seconds,
        }
        if stream.delivery == "at_least_once":
            return PlainSink(
                topic, self._ownership, commit=lambda offsets: self._source.commit(offsets), **common
            )

        def committed(partitions: Iterable[int]) -> dict[int, int]:
            return clients.committed_offsets(
                admin, stream.group_id, topic, partitions, stream.transaction_timeout_seconds
            )

        return TransactionalSink(topic, self._ownership, committed_offsets=committed, **common)

    def _turn(self) -> None:
        """Read, and send the next batch on its way; while nothing more fits, keep polling without reading."""
        waiting = bool(self._batcher) or self._lanes.in_hand > 0
        rows = self._source.poll(self._batcher.room, _SOON_SECONDS if waiting else _POLL_SECONDS)
        if rows:
            self._batcher.add(rows)
            self._metrics.posts_read.inc(len(rows))
        self._send()
        if self._storm.active:
            self._source.hold(True)
        elif self._batcher.full:
            self._source.hold(not self._lanes.moved.wait(_UNPOLLED_SECONDS))
            self._lanes.moved.clear()
        else:
            self._source.hold(False)

    def _send(self) -> None:
        lanes, batcher = self._lanes, self._batcher
        if not (lanes.free or (batcher.full and lanes.accepts)):
            return
        if rows := batcher.take_if_ready():
            self._put(rows, {row.record.partition: row.record.offset + 1 for row in rows})

    def _put(self, rows: tuple[Row, ...], next_offsets: dict[int, int]) -> None:
        """Send rows on their way, or offsets alone."""
        owned, standings = self._ownership.claims(), self._source.standings
        if not self._batcher:
            # Markers of transactions follow the last record; they count as read.
            next_offsets = {p: standings[p].position or offset for p, offset in next_offsets.items()}
        batch = Batch(rows, {p: owned[p] for p in next_offsets}, next_offsets)
        texts = [received.post.text for received in batch.posts]
        self._lanes.put(Job(batch, self._classifier.prepare(texts) if texts else None))

    def _forward(self, job: Job) -> None:
        if job.prepared is None or not self._ownership.holds_any(job.batch.claims):
            return
        begun_at = time.monotonic()
        job.readings = self._classifier.forward(job.prepared)
        job.forward_seconds = time.monotonic() - begun_at
        self._pace.measured(len(job.readings), job.forward_seconds)
        self._gauges.forwarded(self._classifier.stats, job.forward_seconds)

    def _publish(self, job: Job) -> None:
        published = None
        if self._ownership.holds_any(job.batch.claims) and not self._storm.active:
            messages = self._outbox.address(job.batch, job.readings)
            published = self._sink.publish(Parcel(job.batch, messages))
        if published is None:
            self._gauges.dropped(self._sink.restarts)
            log.info("batch.dropped", partitions=sorted(job.batch.claims), posts=len(job.batch.rows))
        else:
            self._note(job, published)

    def _note(self, job: Job, published: Published) -> None:
        letters = sum(message.reason is not None for message in published.messages)
        self._labelled += len(published.messages) - letters
        log.info(
            "batch.published",
            partitions=sorted(published.next_offsets),
            posts=len(published.messages) - letters,
            dead_letters=letters,
            forward_ms=round(job.forward_seconds * 1000),
            commit_ms=round(published.seconds * 1000),
            total=self._labelled,
        )
        self._gauges.committed(published.messages, published.seconds, self._sink.restarts)
        self._storm.count(message.reason is not None for message in published.messages)
        if any(message.reason is Reason.MODEL_NAN for message in published.messages):
            self._troubles["model"] = "The model gave no number for some posts; they are dead letters."

    def _look(self) -> None:
        """Do what is to be done about once a second, and see whether there is anything to do at all."""
        if answer := self._ends.look(self._source.standings):
            self._heed(answer)
        silent = self._ends.silent_seconds
        if silent > self._settings.kafka.retry_timeout_seconds:
            raise BrokerUnavailable(f"Kafka has not answered for {silent:.0f} s.")
        self._ready = self._source.settled(self._ends.answering_seconds) and silent < _SILENT_SECONDS
        if self._storm.active:
            self._complain()
        if self._batcher or self._lanes.in_hand or not self._ready or self._storm.active:
            self._idle_since = None
            self._quiet_since = time.monotonic()
            return
        standings, committed = self._source.standings, self._ownership.committed()
        open_ends = {
            partition: standing.position
            for partition, standing in standings.items()
            if standing.at_end
            and standing.position is not None
            and standing.position != committed.get(partition)
        }
        if open_ends and time.monotonic() - self._quiet_since >= _QUIET_SECONDS:
            self._put((), open_ends)
        if open_ends or not all(standing.at_end for standing in standings.values()):
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = time.monotonic()

    def _heed(self, answer: Answer) -> None:
        """Take in where the topic begins and ends."""
        standings, committed = self._source.standings, self._ownership.committed()
        positions = {p: committed.get(p, standing.position or 0) for p, standing in standings.items()}
        self._gauges.lag(answer.ends, positions, standings)
        for partition, count in self._trimming.settle(answer.starts).items():
            self._metrics.posts_lost.inc(count)
            log.error("posts.lost", partition=partition, offsets=count)
            self._troubles["lost"] = "Kafka deleted posts before they were read (see nifos_posts_lost)."

    def _complain(self) -> None:
        share, topic = self._storm.share, self._settings.topics.posts
        sentence = (
            f"{share:.0%} of the last {self._settings.stream.poison_window} messages of {topic} are bad:"
            " reading has stopped; mend their source, or restart with --accept-bad to let them through."
        )
        self._troubles["storm"] = sentence
        self._metrics.storm.set(1)
        if self._until_idle:
            raise PoisonStorm(sentence)
        if time.monotonic() - self._reminded_at >= _REMIND_SECONDS:
            self._reminded_at = time.monotonic()
            log.error("storm.stopped", detail=sentence)

    def _finish(self) -> None:
        """Let what is in hand be committed, but not for long."""
        deadline = time.monotonic() + self._settings.stream.handover_timeout_seconds
        self._ownership.close(deadline)
        self._batcher.drop(self._source.standings.keys())
        while self._lanes.in_hand and self._lanes.failure is None and time.monotonic() < deadline:
            self._source.hold(True)
            self._source.poll(1, _SOON_SECONDS)

    def _close(self) -> None:
        if not self._lanes.close(self._settings.stream.handover_timeout_seconds):
            log.warning("batch.abandoned")
        self._source.close()
        self._sink.close()
