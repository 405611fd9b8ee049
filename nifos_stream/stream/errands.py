"""Let one thread do something for another. Knows nothing of what it is."""

import queue
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Errands:
    """Calls that wait for the thread that serves them."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()

    def ask(self, call: Callable[[], T], timeout_seconds: float) -> T:
        """What `call` returns or raises in the serving thread. TimeoutError when that does not come to it."""
        future: Future[T] = Future()
        self._asked.put((call, future))
        try:
            return future.result(timeout_seconds)
        except TimeoutError:
            if future.cancel():
                raise
            return future.result()

    def serve(self) -> None:
        """Do what was asked for."""
        while not self._asked.empty():
            call, future = self._asked.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001 - whoever asked has to see it
                future.set_exception(error)
