"""Decide when rows become a batch. Knows nothing of Kafka or the GPU."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable

from nifos_stream.stream.batch import Rejected, Row

_FIRST_CHARACTERS = 2000
# Of a post, before any was read.
_USUAL_CHARACTERS = 30


class Pace:
    """How many characters of text a batch may hold so that its forward pass takes about `seconds`.

    A batch that takes longer than a handover may last could never be finished in one, and a slow machine
    would lose its work over and over. Posts are no measure: one may be sixty times as long as another.
    Without an idea of the speed it begins small; it at most doubles from batch to batch.
    """

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self.characters = _FIRST_CHARACTERS

    def expect(self, characters_per_second: float) -> None:
        """Begin with half of what should fit: the texts to come may take longer than those measured."""
        if characters_per_second > 0:
            self.characters = max(1, int(characters_per_second * self._seconds / 2))

    def measured(self, characters: int, seconds: float) -> None:
        """Learn from a forward pass of texts of so many characters that took `seconds`."""
        if characters <= 0:
            return
        fitting = int(characters * self._seconds / max(seconds, 1e-6))
        # A small batch says little of what a large one would take, unless it was slow itself.
        if fitting < self.characters or characters * 2 > self.characters:
            self.characters = max(1, min(fitting, self.characters * 2))


class Batcher:
    """Rows that wait for their batch, in order."""

    def __init__(
        self,
        *,
        pace: Pace,
        max_posts: int,
        max_bytes: int,
        max_wait_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = pace
        self._max_posts = max_posts
        self._max_bytes = max_bytes
        self._max_wait_seconds = max_wait_seconds
        self._now = now
        self._rows: deque[Row] = deque()
        self._bytes = 0
        self._characters = 0
        self._waiting_since = 0.0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def full(self) -> bool:
        """Whether a batch is complete and nothing more should be read."""
        return (
            len(self._rows) >= self._max_posts
            or self._bytes >= self._max_bytes
            or self._characters >= self._pace.characters
        )

    @property
    def room(self) -> int:
        """About how many rows are still missing from a complete batch, at least 1."""
        usual = self._characters / len(self._rows) if self._rows else _USUAL_CHARACTERS
        fitting = (self._pace.characters - self._characters) / max(usual, 1)
        return max(1, min(self._max_posts - len(self._rows), int(fitting)))

    def add(self, rows: Iterable[Row]) -> None:
        """Let rows wait for the next batch."""
        if not self._rows:
            self._waiting_since = self._now()
        for row in rows:
            self._rows.append(row)
            self._bytes += _size(row)
            self._characters += characters_of(row)

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
        self._characters = sum(map(characters_of, kept))

    def _take(self) -> tuple[Row, ...]:
        taken: list[Row] = []
        size = characters = 0
        rows = self._rows
        while rows and len(taken) < self._max_posts:
            more, longer = size + _size(rows[0]), characters + characters_of(rows[0])
            if taken and (more > self._max_bytes or longer > self._pace.characters):
                break
            size, characters = more, longer
            taken.append(rows.popleft())
        self._bytes -= size
        self._characters -= characters
        self._waiting_since = self._now()
        return tuple(taken)


def characters_of(row: Row) -> int:
    """How much of a row the model has to read."""
    return 0 if isinstance(row, Rejected) else len(row.post.text)


def _size(row: Row) -> int:
    value = row.record.value
    return len(value) if value is not None else 0
