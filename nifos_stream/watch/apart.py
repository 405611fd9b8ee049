"""Read texts for their words in a process of its own.

Loading the analyser takes seconds in which no other thread of its process runs: a server would stand still.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection

from nifos_stream.errors import NifosError
from nifos_stream.watch.words import Reader, Words

_NICE = 5
"""Words can wait for posts that are labelled and counted beside."""


class Apart:
    """As `words.Reader`; the process begins with the first texts and ends with `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._closed = False

    def read(self, texts: Sequence[str]) -> list[Words]:
        """The words of each text. UserError as the reader; NifosError when the process ended, once."""
        pipe = self._open()
        try:
            pipe.send(list(texts))
            answer: list[Words] | NifosError = pipe.recv()
        except (OSError, EOFError):
            self._end()
            raise NifosError("The process that reads posts for their words ended.") from None
        if isinstance(answer, NifosError):
            raise answer
        return answer

    def close(self) -> None:
        """End the process, whatever it does."""
        self._closed = True
        self._end()

    def _open(self) -> Connection:
        with self._lock:
            if self._closed:
                raise NifosError("The process that reads posts for their words was ended.")
            if self._pipe is None:
                # Not forked: threads of this process hold locks that a copy would wait for.
                context = multiprocessing.get_context("spawn")
                self._pipe, theirs = context.Pipe()
                self._process = context.Process(target=_serve, args=(theirs,), daemon=True, name="words")
                self._process.start()
                theirs.close()
            return self._pipe

    def _end(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.join()
                self._process.close()
            if self._pipe is not None:
                self._pipe.close()
            self._process = self._pipe = None


def _serve(pipe: Connection) -> None:
    """Answer until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks.
    os.nice(_NICE)
    reader: Reader | None = None
    while True:
        try:
            texts = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            reader = reader or Reader()
            pipe.send(reader.read(texts))
        except NifosError as error:
            pipe.send(error)
