"""What drives the counts, for many viewers: one thread, one answer at a time, kept for who asks the same."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from nifos_stream import logs
from nifos_stream.watch.analyst import Analyst, Asked, Found

log = logs.get("web")

EVERY_SECONDS = 5.0
"""An answer is at least so old before it is found anew."""
_REST = 4.0
"""It is kept for at least so many times as it took, so that the thread is idle most of the time."""
MOST_KEPT = 64
MOST_WAITING = 16
MOST_NEW = 1000
"""Posts that are read for one answer, a second or two of one core; what is left is read for the next."""


class TooManyWait(Exception):
    """Too many questions wait for their turn; one sentence for a person."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer and until when it is one; while it is being found, the finding of it."""

    finding: "asyncio.Future[Found]"
    until: float | None = None


class Desk:
    """Asks an analyst. Its methods belong to one event loop.

    open_analyst: called once, in the thread, at the first question. close_analyst: called at the end,
    whatever the analyst does then.
    """

    def __init__(
        self,
        open_analyst: Callable[[], Analyst],
        *,
        close_analyst: Callable[[], None] = lambda: None,
        every_seconds: float = EVERY_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open = open_analyst
        self._close = close_analyst
        self._every_seconds = every_seconds
        self._now = now
        self._analyst: Analyst | None = None
        self._kept: OrderedDict[Asked, _Kept] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "drivers")

    async def find(self, asked: Asked) -> Found:
        """The answer, at most a few seconds old. RedisAway; UserError; TooManyWait."""
        kept = self._kept.get(asked)
        if kept is None or (kept.until is not None and kept.until <= self._now()):
            waiting = sum(other.until is None for other in self._kept.values())
            if waiting >= MOST_WAITING:
                raise TooManyWait(f"{waiting} questions wait for their words; that is the most.")
            finding = asyncio.ensure_future(self._find(asked))
            finding.add_done_callback(_look_at)
            kept = self._kept[asked] = _Kept(finding)
            self._forget()
        # Whoever leaves does not take the answer from those who stay.
        return await asyncio.shield(kept.finding)

    def close(self) -> None:
        """Take no more, and give up the question in hand."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._close()

    async def _find(self, asked: Asked) -> Found:
        begun = self._now()
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._read, asked)
        except BaseException:
            self._kept.pop(asked, None)
            raise
        took = self._now() - begun
        log.debug("drivers.found", seconds=round(took, 2), posts=found.posts, unread=found.unread)
        # What is not whole yet may be asked for again at once.
        rest = 0.0 if found.unread else max(self._every_seconds, _REST * took)
        self._kept[asked] = _Kept(self._kept[asked].finding, self._now() + rest)
        return found

    def _read(self, asked: Asked) -> Found:
        if self._analyst is None:
            self._analyst = self._open()
        return self._analyst.find(asked)

    def _forget(self) -> None:
        """The answers that were found first go first; those being found stay."""
        for asked in [asked for asked, kept in self._kept.items() if kept.until is not None]:
            if len(self._kept) <= MOST_KEPT:
                return
            del self._kept[asked]


def _look_at(finding: "asyncio.Future[Found]") -> None:
    """Else asyncio complains of an error that nobody stayed to hear of."""
    if not finding.cancelled():
        finding.exception()
