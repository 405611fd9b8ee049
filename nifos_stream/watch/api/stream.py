"""Server-sent events to one viewer over HTTP. Knows no counts."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from nifos_stream import logs
from nifos_stream.errors import UserError
from nifos_stream.watch.api.hub import Viewer, trouble
from nifos_stream.watch.api.problem import RETRY_SECONDS

log = logs.get("web")

SLOW_SECONDS = 10.0
"""A viewer who takes nothing for so long is dropped."""
_RETRY = b"retry: %d\n\n" % (RETRY_SECONDS * 1000)


class EventStream(StreamingResponse):
    """A response that goes on until the viewer is gone, too slow, or told that it ends.

    first: the event that was waited for to know whether there is a stream. leave: called once at the end.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        first: bytes,
        viewer: Viewer,
        leave: Callable[[], None],
        *,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        # Without this header nginx holds events back until a buffer is full.
        super().__init__(_Events(first, viewer), headers={"X-Accel-Buffering": "no"})
        self._leave = leave
        self._slow_seconds = slow_seconds

    async def stream_response(self, send: Send) -> None:
        """Send events as they come."""

        async def in_time(message: Message) -> None:
            async with asyncio.timeout(self._slow_seconds):
                await send(message)

        try:
            await super().stream_response(in_time)
        except TimeoutError:
            log.info("viewer.dropped", seconds=self._slow_seconds)
        finally:
            self._leave()


class _Events:
    """The first event, then those of the viewer; no generator, which would outlive a cancelled response."""

    def __init__(self, first: bytes, viewer: Viewer) -> None:
        self._first: bytes | None = _RETRY + first
        self._viewer = viewer
        self._refused = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if (first := self._first) is not None:
            self._first = None
            return first
        if self._refused:
            raise StopAsyncIteration
        try:
            return await anext(self._viewer)
        except UserError as refused:
            self._refused = True
            return trouble(refused)
