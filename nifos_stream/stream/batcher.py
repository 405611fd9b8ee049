"""Decide when rows become a batch. Knows nothing of Kafka or the GPU."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable

from nifos_stream.stream.batch import Row

_FIRST_POSTS = 64


class Pace:
    """How many posts a batch may hold so that its forward pass takes about `seconds`, at most `most`.

    A batch that takes longer than a handover may last could never be finished in one, and a slow machine
    would lose its work over and over. Without an idea of that it begins small; it at most doubles from batch
    to batch.
    """

    def __init__(self, *, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self.posts = min(_FIRST_POSTS, most)

    def expect(self, posts_per_second: float) -> None:
        """Begin with half of what should fit: the texts to come may be longer than those measured."""
        self.posts = max(1, min(int(posts_per_second * self._seconds / 2), self._most))

    def measured(self, posts: int, seconds: float) -> None:
        """Learn from a forward pass of `posts` texts that took `seconds`."""
        if posts <= 0:
            return
        fitting = int(posts * self._seconds / max(seconds, 1e-6))
        # A small batch says little of what a large one would take, unless it was slow itself.
        if fitting < self.posts or posts * 2 > self.posts:
            self.posts = max(1, min(fitting, self.posts * 2, self._most))


class Batcher:
    """Rows that wait for their batch, in order."""

    def __init__(
        self,
        *,
        pace: Pace,
        max_bytes: int,
        max_wait_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = pace
        self._max_bytes = max_bytes
        self._max_wait_seconds = max_wait_seconds
        self._now = now
        self._rows: deque[Row] = deque()
        self._bytes = 0
        self._waiting_since = 0.0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def full(self) -> bool:
        """Whether a batch is complete and nothing more should be read."""
        return len(self._rows) >= self._pace.posts or self._bytes >= self._max_bytes

    @property
    def room(self) -> int:
        """Rows still missing from a complete batch, at least 1."""
        return max(1, self._pace.posts - len(self._rows))

    def add(self, rows: Iterable[Row]) -> None:
        """Let rows wait for the next batch."""
        if not self._rows:
            self._waiting_since = self._now()
        for row in rows:
            self._rows.append(row)
            self._bytes += _size(row)

    def take_if_ready(self) -> tuple[Row, ...]:
        """The next batch's rows, for a forward pass that is free; () while they should wait for more."""
        if not self._rows:
            return ()
        waited = self._now() - self._waiting_since
        if not self.full and waited < self._max_wait_seconds:
            return ()
        return self._take()

    def drop(self, partitions: Collection[int]) -> None:
        """Forget the rows of these partitions."""
        kept = [row for row in self._rows if row.record.partition not in partitions]
        self._rows = deque(kept)
        self._bytes = sum(map(_size, kept))

    def _take(self) -> tuple[Row, ...]:
        taken: list[Row] = []
        size = 0
        rows = self._rows
        while (
            rows and len(taken) < self._pace.posts and (not taken or size + _size(rows[0]) <= self._max_bytes)
        ):
            row = rows.popleft()
            size += _size(row)
            taken.append(row)
        self._bytes -= size
        self._waiting_since = self._now()
        return tuple(taken)


def _size(row: Row) -> int:
    value = row.record.value
    return len(value) if value is not None else 0
