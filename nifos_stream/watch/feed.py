"""The latest posts for many viewers: read once a second for all of them, filtered for each."""

import time
from collections.abc import Callable

from nifos_stream.counters.reader import Counts, Filter, Latest
from nifos_stream.watch.shared import Shared

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
        self._latest = Shared(lambda: counts.latest(limit=_ALL), every_seconds=every_seconds, now=now)

    def latest(self, wanted: Filter, limit: int) -> Latest:
        """The newest `limit` that are wanted. RedisAway."""
        latest = self._latest.get()
        posts = latest.posts
        if wanted:
            posts = tuple(post for post in posts if wanted.accepts_kept(post))
        return Latest(posts[:limit], latest.freshness)
