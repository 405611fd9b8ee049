"""The threads behind the one that reads: one begins with a batch, one ends it. Knows no client of Kafka.

While a batch is in the forward pass, the next one stands behind it on the device, the one after is read, and
the last one is published.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nifos_stream.model.reading import Reading, Unread
from nifos_stream.stream.batch import Batch

_LOOK_SECONDS = 0.1
_MOST_IN_FORWARD = 2


@dataclass(slots=True)
class Job:
    """A batch on its way."""

    batch: Batch
    prepared: Any
    """What the classifier made of the texts; None when the batch has none."""
    readings: list[Reading | Unread] = field(default_factory=list)
    forward_seconds: float = 0.0
    begun: Any = None
    """The forward pass that runs; None when there is none."""


class Lanes:
    """Two threads and their queues."""

    def __init__(
        self,
        *,
        begin: Callable[[Job], None],
        finish: Callable[[Job], None],
        publish: Callable[[Job], None],
    ) -> None:
        """begin, finish: a forward pass; those of two jobs overlap. publish: what comes after it."""
        self.failure: BaseException | None = None
        self.moved = threading.Event()
        """Set whenever a job has left a lane; whoever waits for it clears it."""
        self._lock = threading.Lock()
        self._to_forward = 0
        self._in_hand = 0
        self._closed = self._abandoned = False
        self._prepared: queue.Queue[Job] = queue.Queue(1)
        self._running: queue.Queue[Job] = queue.Queue(_MOST_IN_FORWARD)
        self._begin, self._finish, self._publish = begin, finish, publish
        self._threads = [
            threading.Thread(target=self._guard, args=(lane,), name=name, daemon=True)
            for name, lane in (("begin", self._begin_all), ("publish", self._publish_all))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def free(self) -> bool:
        """Whether the forward pass has nothing to do."""
        return self._to_forward == 0

    @property
    def accepts(self) -> bool:
        """Whether one more batch may stand behind the one in the forward pass."""
        return self._to_forward < _MOST_IN_FORWARD

    @property
    def in_hand(self) -> int:
        """Jobs that were put and are neither published nor dropped."""
        return self._in_hand

    def put(self, job: Job) -> None:
        """Send a job on its way."""
        with self._lock:
            self._to_forward += 1
            self._in_hand += 1
        self._offer(self._prepared, job)

    def close(self, timeout_seconds: float) -> bool:
        """End the threads after the jobs that they work at; False when one is still at it after that time.

        What becomes of such a job is no failure.
        """
        self._closed = True
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._abandoned = any(thread.is_alive() for thread in self._threads)
        return not self._abandoned

    def _begin_all(self) -> None:
        while (job := self._next(self._prepared)) is not None:
            self._begin(job)
            self._offer(self._running, job)

    def _publish_all(self) -> None:
        while (job := self._next(self._running)) is not None:
            self._finish(job)
            with self._lock:
                self._to_forward -= 1
            self.moved.set()
            self._publish(job)
            with self._lock:
                self._in_hand -= 1
            self.moved.set()

    def _next(self, jobs: "queue.Queue[Job]") -> Job | None:
        while not self._closed:
            with contextlib.suppress(queue.Empty):
                return jobs.get(timeout=_LOOK_SECONDS)
        return None

    def _offer(self, jobs: "queue.Queue[Job]", job: Job) -> None:
        while not self._closed:
            with contextlib.suppress(queue.Full):
                jobs.put(job, timeout=_LOOK_SECONDS)
                return

    def _guard(self, lane: Callable[[], None]) -> None:
        try:
            lane()
        except BaseException as failure:  # noqa: BLE001 - it is raised again in the thread that reads
            if not self._abandoned:
                self.failure = failure
            self.moved.set()
