"""Answer each distinct question once a second, however many look at it. Knows no HTTP and no Redis."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from nifos_stream import logs
from nifos_stream.counters.reader import RedisAway
from nifos_stream.errors import UserError
from nifos_stream.watch.api import problem
from nifos_stream.watch.api.question import Question

log = logs.get("web")

EVERY_SECONDS = 1.0
MOST_QUESTIONS = 64
MOST_WAITING = 10
"""Events that wait for a viewer who is slow; one more, and the viewer is dropped."""


class TooManyQuestions(Exception):
    """As many different questions are being answered as may be."""


class Viewer:
    """The events for one viewer, in order."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes | UserError | None] = asyncio.Queue(MOST_WAITING)

    def offer(self, event: bytes) -> bool:
        """Let it wait for the viewer; False when too many do."""
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            return False
        return True

    def end(self, reason: UserError | None = None) -> None:
        """Forget what waits; there is nothing more to come."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(reason)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next event. UserError when the question cannot be answered."""
        event = await self._waiting.get()
        if event is None:
            raise StopAsyncIteration
        if isinstance(event, UserError):
            raise event
        return event


@dataclass(slots=True, eq=False)
class _Channel:
    """One question, and who looks at its answers."""

    question: Question
    viewers: set[Viewer] = field(default_factory=set)
    latest: bytes | None = None
    pump: asyncio.Task[None] | None = None


class Hub:
    """Questions that are being looked at. Its methods belong to one event loop.

    read: the answer as JSON on one line. RedisAway becomes an event and the next second tries again; any
    other UserError ends the question for all its viewers.
    """

    def __init__(
        self,
        read: Callable[[Question], Awaitable[bytes]],
        *,
        every_seconds: float = EVERY_SECONDS,
        most_questions: int = MOST_QUESTIONS,
    ) -> None:
        self._read = read
        self._every_seconds = every_seconds
        self._most_questions = most_questions
        self._channels: dict[Question, _Channel] = {}

    def join(self, question: Question) -> Viewer:
        """A viewer of the question, to be given back with `leave`. TooManyQuestions."""
        channel = self._channels.get(question)
        if channel is None:
            if len(self._channels) >= self._most_questions:
                raise TooManyQuestions(
                    f"{self._most_questions} different questions are being answered live; that is the most."
                )
            channel = self._channels[question] = _Channel(question)
            channel.pump = asyncio.create_task(self._pump(channel))
        viewer = Viewer()
        channel.viewers.add(viewer)
        if channel.latest is not None:
            viewer.offer(channel.latest)
        return viewer

    def leave(self, question: Question, viewer: Viewer) -> None:
        """Send this viewer nothing more; a viewer who is gone already may be given back again."""
        if (channel := self._channels.get(question)) is not None:
            channel.viewers.discard(viewer)

    def close(self) -> None:
        """End every stream."""
        for channel in self._channels.values():
            if channel.pump is not None:
                channel.pump.cancel()
            _end(channel)

    async def _pump(self, channel: _Channel) -> None:
        """Read and send, once a second, while somebody looks."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while channel.viewers:
                await self._send(channel)
                # The second passes also after the last viewer left, so that coming and going costs no reads.
                due = max(due + self._every_seconds, loop.time())
                await asyncio.sleep(due - loop.time())
        finally:
            del self._channels[channel.question]

    async def _send(self, channel: _Channel) -> None:
        try:
            event = b"data: %b\n\n" % await self._read(channel.question)
        except RedisAway as away:
            event = trouble(away)
        except UserError as refused:
            _end(channel, refused)
            return
        except Exception as failure:
            log.exception("stream.failed")
            event = trouble(failure)
        channel.latest = event
        for viewer in tuple(channel.viewers):
            if not viewer.offer(event):
                log.info("viewer.dropped", waiting=MOST_WAITING)
                channel.viewers.discard(viewer)
                viewer.end()


def trouble(error: Exception) -> bytes:
    """An event that says what is wrong; the numbers sent last are the newest that are known."""
    return b"event: problem\ndata: %b\n\n" % problem.written(*problem.of(error))


def _end(channel: _Channel, reason: UserError | None = None) -> None:
    for viewer in channel.viewers:
        viewer.end(reason)
    channel.viewers.clear()
