"""Call what may never return, in a thread that can be left behind. Knows nothing of what it calls."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

_Asked = queue.SimpleQueue[tuple[Callable[[], Any], "Future[Any]"]]


class Bounded:
    """Calls in a thread of their own, one after another, with an end to waiting for each."""

    def __init__(self) -> None:
        self._asked: _Asked | None = None

    def call(self, call: Callable[[], Any], timeout_seconds: float) -> Any:
        """What `call` returns or raises. TimeoutError when it has not come back in time.

        Then its thread is left to it; the next call gets another.
        """
        if self._asked is None:
            self._asked = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(self._asked,), name="bounded", daemon=True).start()
        future: Future[Any] = Future()
        self._asked.put((call, future))
        try:
            return future.result(timeout_seconds)
        except TimeoutError:
            if not future.done():
                self._asked = None
            raise


def _serve(asked: _Asked) -> None:
    while True:
        call, future = asked.get()
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - whoever called has to see it
            future.set_exception(error)
