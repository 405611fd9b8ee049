"""The classifying stage: posts topic to labelled topic. Knows how its parts fit, and little of each."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Container, Sequence
from typing import Any, Protocol

from nifos_stream import __version__, logs
from nifos_stream.errors import Reason
from nifos_stream.messages import ModelRef, Post
from nifos_stream.metrics import Metrics
from nifos_stream.model.reading import ModelInfo, Reading, Unread
from nifos_stream.settings import Settings
from nifos_stream.stage import Health
from nifos_stream.stream import clients
from nifos_stream.stream.batch import Batch, Row
from nifos_stream.stream.batcher import Batcher, Pace, characters_of
from nifos_stream.stream.ends import Ends
from nifos_stream.stream.gauges import Gauges
from nifos_stream.stream.lanes import Job, Lanes
from nifos_stream.stream.lookout import Lookout
from nifos_stream.stream.outbox import Destination, Outbox
from nifos_stream.stream.ownership import Ownership
from nifos_stream.stream.sink import Parcel, Published
from nifos_stream.stream.sinks import make_sink
from nifos_stream.stream.source import Source
from nifos_stream.stream.storm import Storm
from nifos_stream.stream.trimming import Trimming

log = logs.get("stream")

_POLL_SECONDS = 0.1
_SOON_SECONDS = 0.005
_UNPOLLED_SECONDS = 0.5


class Classifier(Protocol):
    """What the stage asks of a model."""

    info: ModelInfo
    device: str
    dtype: str
    stats: Any

    def prepare(self, texts: Sequence[str]) -> Any:
        """Do what needs no device."""

    def begin(self, prepared: Any) -> Any:
        """Let the device begin; batches are finished in the order in which they began."""

    def finish(self, begun: Any) -> list[Reading | Unread]:
        """One reading per text, in order."""

    def characters_per_second(self) -> float:
        """About how many characters of short texts it reads a second, measured now; 0 if that fails."""

    def abandon(self) -> None:
        """Leave undone what has not begun; nothing is asked of it afterwards."""


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
        observe: Callable[[Job, Container[int]], None] = lambda _job, _partitions: None,
    ) -> None:
        """until_idle: the worker ends once it is idle, so a storm of bad messages ends it too.

        observe: told of each job that was published, and for which partitions; it must return at once.
        """
        self._settings = settings
        self._classifier = classifier
        self._metrics = metrics
        self._until_idle = until_idle
        self._matched_keywords = matched_keywords
        self._observe = observe
        stream = settings.stream
        self._ownership = Ownership(handover_seconds=stream.handover_timeout_seconds)
        self._pace = Pace(seconds=stream.batch_seconds)
        self._batcher = Batcher(
            pace=self._pace,
            max_posts=stream.batch_posts,
            max_bytes=stream.batch_bytes,
            max_wait_seconds=stream.max_wait_seconds,
        )
        self._storm = Storm(
            ratio=stream.poison_ratio, window=stream.poison_window, accept_bad=stream.accept_bad
        )
        self._gauges = Gauges(metrics, batch_posts=stream.batch_posts)
        self._lookout: Lookout | None = None
        self._labelled = 0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then finish or abort the batch in hand and leave the group.

        UserError before anything is read; BrokerUnavailable when Kafka stays away; PoisonStorm.
        """
        lookout = self._open()
        try:
            while not stop.is_set() and self._lanes.failure is None:
                self._turn()
                if ends := lookout.look(busy=bool(self._batcher) or self._lanes.in_hand > 0):
                    self._put((), ends)
            self._finish()
        finally:
            self._close()
        if self._lanes.failure is not None:
            raise self._lanes.failure

    def idle_seconds(self) -> float:
        """Seconds since every owned partition was at its end with nothing in hand; 0 while there is work."""
        return self._lookout.idle_seconds() if self._lookout is not None else 0.0

    def health(self) -> Health:
        """Red in a storm of bad messages, when posts were lost, and when the model fails."""
        return self._lookout.health() if self._lookout is not None else Health(True, False, "starting")

    def _open(self) -> Lookout:
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
        self._sink = make_sink(
            settings,
            self._ownership,
            largest_bytes=(events.max_message_bytes, letters.max_message_bytes),
            too_large=self._outbox.too_large,
            commit=lambda offsets: self._source.commit(offsets),
        )
        self._sink.open(settings.kafka.startup_timeout_seconds)
        trimming = Trimming()
        self._source = Source(
            consumer,
            topics.posts,
            self._ownership,
            group_id=stream.group_id,
            timezone=settings.zone,
            trimming=trimming,
            on_gone=self._batcher.drop,
        )
        self._pace.expect(self._classifier.characters_per_second())
        self._lanes = Lanes(begin=self._begin, finish=self._read, publish=self._publish)
        self._gauges.opened(self._classifier)
        self._lookout = Lookout(
            settings,
            partitions=facts[topics.posts].partitions,
            source=self._source,
            ownership=self._ownership,
            ends=Ends(admin, topics.posts, on_ask=trimming.asking),
            trimming=trimming,
            storm=self._storm,
            gauges=self._gauges,
            metrics=self._metrics,
            until_idle=self._until_idle,
        )
        return self._lookout

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
            # All that was read is on its way, and batches are committed in order. So where a partition was
            # read to its end, the markers of transactions behind its last record count as read, too.
            ends = {p: each.position for p, each in standings.items() if each.at_end and p in owned}
            next_offsets |= {p: position for p, position in ends.items() if position is not None}
        batch = Batch(rows, {p: owned[p] for p in next_offsets}, next_offsets)
        texts = [received.post.text for received in batch.posts]
        self._lanes.put(Job(batch, self._classifier.prepare(texts) if texts else None))

    def _begin(self, job: Job) -> None:
        if job.prepared is not None and self._ownership.holds_any(job.batch.claims):
            job.begun = self._classifier.begin(job.prepared)

    def _read(self, job: Job) -> None:
        if job.begun is None:
            return
        stats = self._classifier.stats
        seconds_before = stats.forward_seconds
        job.readings = self._classifier.finish(job.begun)
        job.forward_seconds = stats.forward_seconds - seconds_before
        self._pace.measured(sum(map(characters_of, job.batch.posts)), job.forward_seconds)
        self._gauges.forwarded(stats, job.forward_seconds)

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
            self._observe(job, published.next_offsets)

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
        lookout = self._lookout
        if lookout and any(message.reason is Reason.MODEL_NAN for message in published.messages):
            lookout.model_failed()

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
            # Else the process would not end before the last chunk of every batch in hand was read.
            self._classifier.abandon()
        self._source.close()
        self._sink.close()
