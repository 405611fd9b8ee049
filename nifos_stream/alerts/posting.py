"""One HTTP POST that ends in time, whatever the other side does. Knows no alert."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import httpx2

STOP_SECONDS = 1.0
"""An answer that is almost there is waited for so long when the worker ends."""
_LOOK_SECONDS = 0.1


class NoAnswer(Exception):
    """Why there was none; never the URL, which is a secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: its status, and its headers by name, whatever the case."""

    status: int
    headers: Mapping[str, str]


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, stop: threading.Event
) -> Answer:
    """The answer, its body unread.

    seconds: longest for all of it, names, connection, sending and answer together. A server that sends a byte
    now and then meets every limit of a single read, so this one is of another kind.
    NoAnswer, also when `stop` was set meanwhile: then nobody knows whether it arrived.
    """
    loop = _Loop()
    try:
        return loop.run_until_complete(_in_time(_post(url, body, headers), seconds, stop))
    finally:
        loop.close()


class _Loop(asyncio.SelectorEventLoop):
    """Looks names up in threads that nobody waits for.

    A look-up cannot be broken off, and Python waits for the threads of its own executor before it ends.
    """

    async def getaddrinfo(self, host: Any, port: Any, **hints: int) -> Any:
        found: Future[Any] = Future()

        def look_up() -> None:
            # From here on whoever gives up leaves `found` alone.
            if found.set_running_or_notify_cancel():
                try:
                    found.set_result(socket.getaddrinfo(host, port, **hints))
                except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
                    found.set_exception(error)

        threading.Thread(target=look_up, name="look-up", daemon=True).start()
        return await asyncio.wrap_future(found)


async def _post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    # An address that has moved is for a person to look at.
    async with (
        httpx2.AsyncClient(timeout=None, follow_redirects=False) as client,
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        return Answer(answer.status_code, answer.headers)


async def _in_time(call: Coroutine[Any, Any, Answer], seconds: float, stop: threading.Event) -> Answer:
    task = asyncio.ensure_future(call)
    now = asyncio.get_running_loop().time
    deadline, is_ending = now() + seconds, False
    while not task.done() and now() < deadline:
        await asyncio.wait({task}, timeout=min(_LOOK_SECONDS, deadline - now()))
        if stop.is_set() and not is_ending:
            deadline, is_ending = min(deadline, now() + STOP_SECONDS), True
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        raise NoAnswer("the worker ends" if is_ending else f"no answer within {seconds:g} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise NoAnswer(type(error).__name__) from None
