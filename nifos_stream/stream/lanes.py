"""The threads behind the one that reads: forward, and publish. Knows no client of Kafka.

One batch may wait before each, so while one is in the forward pass the next is prepared and the last one
is published.
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


@dataclass(slots=True)
class Job:
    """A batch on its way."""

    batch: Batch
    prepared: Any
    """What the classifier made of the texts; None when the batch has none."""
    readings: list[Reading | Unread] = field(default_factory=list)
    forward_seconds: float = 0.0


class Lanes:
    """Two threads and their queues."""

    def __init__(self, *, forward: Callable[[Job], None], publish: Callable[[Job], None]) -> None:
        self.failure: BaseException | None = None
        self.moved = threading.Event()
        """Set whenever a job has left a lane; whoever waits for it clears it."""
        self._lock = threading.Lock()
        self._to_forward = 0
        self._in_hand = 0
        self._closed = False
        self._prepared: queue.Queue[Job] = queue.Queue(1)
        self._read: queue.Queue[Job] = queue.Queue(1)
        self._threads = [
            threading.Thread(target=self._guard, args=(self._forward, forward), name="forward", daemon=True),
            threading.Thread(target=self._guard, args=(self._publish, publish), name="publish", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def free(self) -> bool:
        """Whether the forward pass has nothing to do."""
        return self._to_forward == 0

    @property
    def accepts(self) -> bool:
        """Whether `put` would return at once."""
        return not self._prepared.full()

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
        """End the threads after the jobs that they work at; False when one is still at it after that time."""
        self._closed = True
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _forward(self, work: Callable[[Job], None]) -> None:
        while (job := self._next(self._prepared)) is not None:
            work(job)
            self._offer(self._read, job)
            with self._lock:
                self._to_forward -= 1
            self.moved.set()

    def _publish(self, work: Callable[[Job], None]) -> None:
        while (job := self._next(self._read)) is not None:
            work(job)
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

    def _guard(self, lane: Callable[[Callable[[Job], None]], None], work: Callable[[Job], None]) -> None:
        try:
            lane(work)
        except BaseException as failure:  # noqa: BLE001 - it is raised again in the thread that reads
            self.failure = failure
            self.moved.set()
