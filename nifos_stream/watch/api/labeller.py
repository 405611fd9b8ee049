"""Label a sentence that somebody tries, one at a time and beside the event loop. Knows no HTTP."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from nifos_stream.errors import Refusal, UserError
from nifos_stream.model import ModelInfo, Reading, Unread

MOST_WAITING = 32


class Model(Protocol):
    """As `model.Classifier` is one."""

    @property
    def info(self) -> ModelInfo:
        """Which model it is."""

    def classify(self, texts: Sequence[str]) -> list[Reading | Unread]:
        """One reading per text, in order."""


class Unlabelled(UserError):
    """There is no model now, or too many wait for it."""


class Labeller:
    """One model, loaded when it is asked for the first time."""

    def __init__(self, load: Callable[[], Model], *, most_waiting: int = MOST_WAITING) -> None:
        self._load = load
        self._most_waiting = most_waiting
        self._waiting = 0
        self._model: Model | None = None
        # One thread: a classifier is always called from the same one, and takes all cores as it is.
        self._thread = ThreadPoolExecutor(1, "labeller")

    async def label(self, text: str) -> tuple[ModelInfo, Reading | Unread]:
        """Which model read it, and what it says. Unlabelled."""
        if self._waiting >= self._most_waiting:
            said = f"{self._waiting} sentences wait to be labelled; that is the most."
            raise Unlabelled(said, Refusal.TOO_MANY_SENTENCES)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, text)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more; the sentence in hand is finished."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self, text: str) -> tuple[ModelInfo, Reading | Unread]:
        if self._model is None:
            try:
                self._model = self._load()
            except UserError as error:
                raise Unlabelled(str(error), Refusal.MODEL_MISSING, reason=str(error)) from error
        return self._model.info, self._model.classify([text])[0]
