"""Which posts the second model reads, and those that wait for it. Knows no model and no Redis."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from nifos_stream.model.reading import Reading

_EVERY = 2**64


def is_chosen(topic: str, partition: int, offset: int, share: float) -> bool:
    """Whether a record is of the sample: by a hash of its origin, so the answer is always the same."""
    origin = f"{topic}:{partition}:{offset}".encode()
    return int.from_bytes(blake2b(origin, digest_size=8).digest(), "big") < share * _EVERY


@dataclass(frozen=True, slots=True)
class Sampled:
    """A text, and what the first model said of it."""

    text: str
    reading: Reading


class Waiting:
    """Texts that wait, in order; it takes no more than it has room for. For several threads."""

    def __init__(
        self, *, most_texts: int, most_characters: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_texts = most_texts
        self._most_characters = most_characters
        self._now = now
        self._texts: deque[Sampled] = deque()
        self._characters = 0
        self._in_hand = 0
        self._quiet_since: float | None = now()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._texts)

    def offer(self, sampled: Sampled) -> bool:
        """Take a text in; False when there is no room for it. Never waits."""
        with self._changed:
            characters = self._characters + len(sampled.text)
            if len(self._texts) >= self._most_texts or characters > self._most_characters:
                return False
            self._characters = characters
            self._texts.append(sampled)
            self._quiet_since = None
            self._changed.notify()
            return True

    def take(self, most: int, timeout_seconds: float) -> list[Sampled]:
        """Hand out the oldest texts, at most `most`; none when there are none for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._texts, timeout_seconds)
            taken = [self._texts.popleft() for _ in range(min(most, len(self._texts)))]
            self._characters -= sum(len(sampled.text) for sampled in taken)
            self._in_hand += len(taken)
            return taken

    def done(self, count: int) -> None:
        """Say that so many texts that were taken have been dealt with."""
        with self._changed:
            self._in_hand -= count
            if not self._texts and not self._in_hand and self._quiet_since is None:
                self._quiet_since = self._now()

    def quiet_seconds(self) -> float:
        """Seconds since nothing waits and nothing is in hand; 0 while something is."""
        since = self._quiet_since
        return 0.0 if since is None else self._now() - since
