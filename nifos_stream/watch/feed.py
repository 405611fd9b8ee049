"""The latest posts for many viewers: read once a second for all of them, filtered for each."""

import threading
import time
from collections.abc import Callable

from nifos_stream.counters.reader import Counts, Filter, Latest

EVERY_SECONDS = 1.0
_ALL = 2**31
"""More posts than are ever kept."""


class Feed:
    """What is kept of the latest posts, at most `every_seconds` old. Its calls may come from any thread."""

    def __init__(
        self,
        counts: Counts,
        *,
        every_seconds: float = EVERY_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts = counts
        self._every_seconds = every_seconds
        self._now = now
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._latest: Latest | None = None

    def latest(self, wanted: Filter, limit: int) -> Latest:
        """The newest `limit` that are wanted. RedisAway."""
        latest = self._current()
        posts = latest.posts
        if wanted:
            posts = tuple(post for post in posts if wanted.accepts_kept(post))
        return Latest(posts[:limit], latest.freshness)

    def _current(self) -> Latest:
        with self._lock:
            read_at = self._read_at
            if self._latest is None or read_at is None or self._now() - read_at >= self._every_seconds:
                self._latest = self._counts.latest(limit=_ALL)
                self._read_at = self._now()
            return self._latest
