"""What many ask for, read once in a while for all of them, also where that fails. Knows no Redis."""

import copy
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from nifos_stream.errors import UserError

_Value = TypeVar("_Value")


class Shared(Generic[_Value]):
    """A value that is at most `every_seconds` old. Calls may come from any thread.

    read: may raise UserError, such as RedisAway. All who wait for it then have that error at once, and so has
    whoever asks within `every_seconds`: nobody waits for a time-out of their own after that of another.
    """

    def __init__(
        self,
        read: Callable[[], _Value],
        *,
        every_seconds: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._every_seconds = every_seconds
        self._now = now
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._held: Callable[[], _Value] = read

    def get(self) -> _Value:
        """The value, or the error of the last try to read it."""
        with self._lock:
            if self._read_at is None or self._now() - self._read_at >= self._every_seconds:
                self._held = self._tried()
                self._read_at = self._now()
            held = self._held
        return held()

    def _tried(self) -> Callable[[], _Value]:
        try:
            value = self._read()
        except UserError as error:
            refused = copy.copy(error)

            def refuse() -> _Value:
                # A new one for each: a traceback belongs to who raised it.
                raise copy.copy(refused)

            return refuse
        return lambda: value
