"""The second model at work: it reads a share of what the first one labelled, and compares.

The classifying stage never touches Redis, so that labels flow while Redis is away. This is a stage of its
own, with a connection of its own, and what it writes has nothing to do with the counts. It only looks on:
posts are offered to it after they were published, the offer never waits and never fails, and when the second
model fails or cannot keep up, a metric and a line of the log say so.
"""

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Container
from typing import Any

from nifos_stream import logs
from nifos_stream.counters.connect import TROUBLE
from nifos_stream.metrics import Metrics
from nifos_stream.model.reading import ModelInfo, Reading
from nifos_stream.shadow.comparison import DROPPED, UNREAD, Compared, Tally
from nifos_stream.shadow.ledger import Ledger
from nifos_stream.shadow.sampling import Sampled, Waiting, is_chosen
from nifos_stream.stage import Health
from nifos_stream.stream.lanes import Job
from nifos_stream.stream.worker import Classifier

MOST_TEXTS = 5000
MOST_CHARACTERS = 8_000_000
# A stop waits for one pass.
TEXTS_PER_PASS = 64
WRITE_SECONDS = 1.0
RETRY_SECONDS = 30.0
_LOOK_SECONDS = 0.1
log = logs.get("shadow")


class ShadowStage:
    """A Stage that compares a second model with the first one.

    load: makes the second model; whatever that raises, the first one goes on. share: of the posts that are
    read twice. ledger: where comparisons are added up.
    """

    name = "shadow"

    def __init__(
        self,
        load: Callable[[], Classifier],
        first: ModelInfo,
        ledger: Ledger,
        metrics: Metrics,
        *,
        share: float,
        now: Callable[[], float] = time.monotonic,
        utcnow: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._load = load
        self._first = Compared(first.name, first.revision)
        self._ledger = ledger
        self._metrics = metrics
        self._share = share
        self._now = now
        self._utcnow = utcnow
        self._waiting = Waiting(most_texts=MOST_TEXTS, most_characters=MOST_CHARACTERS, now=now)
        self._tally = Tally()
        self._classifier: Classifier | None = None
        self._failure: str | None = None
        self._write_at = 0.0
        self._unwritten = False

    def observe(self, job: Job, partitions: Container[int]) -> None:
        """Look on as a batch was published for `partitions`. Never waits, never raises."""
        try:
            self._sample(job, partitions)
        except Exception as error:  # noqa: BLE001 - the thread that calls publishes the stream
            self._fail(error)

    def run(self, stop: threading.Event) -> None:
        """Read and compare until `stop`."""
        self._metrics.shadow_up.set(0)
        self._attempt(self._open)
        while not stop.is_set():
            self._attempt(self._turn)
            if self._failure is not None:
                self._clear()
                stop.wait(_LOOK_SECONDS)
            if self._now() >= self._write_at:
                self._write()
        self._clear()
        self._write()
        with contextlib.suppress(*TROUBLE):
            self._ledger.close()

    def idle_seconds(self) -> float:
        """Seconds since no text waits for the second model; 0 while it has something to do."""
        return self._waiting.quiet_seconds()

    def health(self) -> Health:
        """Always well: whatever happens to a second model, the stream goes on."""
        if self._failure is not None:
            return Health(True, True, f"The second model failed: {self._failure}")
        return Health(True, True, "loading" if self._classifier is None else "comparing")

    def _sample(self, job: Job, partitions: Container[int]) -> None:
        self._took("first", len(job.readings), job.forward_seconds)
        for received, reading in zip(job.batch.posts, job.readings, strict=True):
            record = received.record
            if (
                record.partition in partitions
                and isinstance(reading, Reading)
                and is_chosen(record.topic, record.partition, record.offset, self._share)
                and (
                    self._failure is not None or not self._waiting.offer(Sampled(received.post.text, reading))
                )
            ):
                self._drop(1)

    def _attempt(self, work: Callable[[], None]) -> None:
        if self._failure is None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - a second model must not end the worker
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._failure = f"{type(error).__name__}: {error}"
        self._metrics.shadow_up.set(0)
        log.error("shadow.failed", error=self._failure, detail="restart the worker to try it again")

    def _clear(self) -> None:
        """Nobody will read what waits."""
        left = self._waiting.take(MOST_TEXTS, 0)
        self._waiting.done(len(left))
        self._drop(len(left))

    def _open(self) -> None:
        self._classifier = classifier = self._load()
        info = classifier.info
        self._metrics.shadow_up.set(1)
        self._metrics.shadow_info.labels(name=info.name, revision=info.revision).set(1)
        log.info("shadow.loaded", model=info.name, revision=info.revision, share=self._share)

    def _turn(self) -> None:
        classifier = self._classifier
        taken = self._waiting.take(TEXTS_PER_PASS, _LOOK_SECONDS)
        if classifier is None or not taken:
            return
        try:
            self._compare(classifier, taken)
        except Exception:
            self._drop(len(taken))
            raise
        finally:
            self._waiting.done(len(taken))

    def _compare(self, classifier: Classifier, taken: list[Sampled]) -> None:
        prepared: Any = classifier.prepare([sampled.text for sampled in taken])
        begun_at = self._now()
        readings = classifier.finish(classifier.begin(prepared))
        self._took("shadow", len(taken), self._now() - begun_at)
        for sampled, shadow in zip(taken, readings, strict=True):
            first = sampled.reading
            if not isinstance(shadow, Reading):
                self._tally.add({UNREAD: 1})
                self._metrics.shadow_unread.inc()
                continue
            self._metrics.shadow_difference.observe(self._tally.compare(first, shadow))
            self._metrics.shadow_texts.labels(first=first.label, shadow=shadow.label).inc()

    def _took(self, which: str, texts: int, seconds: float) -> None:
        self._tally.took(which, texts, seconds)
        self._metrics.shadow_cost_texts.labels(model=which).inc(texts)
        self._metrics.shadow_cost_seconds.labels(model=which).inc(seconds)

    def _drop(self, texts: int) -> None:
        if texts:
            self._tally.add({DROPPED: texts})
            self._metrics.shadow_dropped.inc(texts)

    def _write(self) -> None:
        """Add what is new to the ledger; while Redis is away it is kept, and tried again later."""
        self._write_at = self._now() + WRITE_SECONDS
        if self._classifier is None or not (numbers := self._tally.take()):
            return
        info = self._classifier.info
        try:
            self._ledger.add(self._first, Compared(info.name, info.revision), numbers, self._utcnow())
        except Exception as error:  # noqa: BLE001 - whatever is the matter with Redis, the stream goes on
            self._tally.add(numbers)
            self._write_at = self._now() + RETRY_SECONDS
            if not self._unwritten:
                log.warning("shadow.not_written", detail=str(error))
            self._unwritten = True
        else:
            self._unwritten = False
