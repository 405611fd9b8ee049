"""Run several pieces of work at once, each on one CPU core of its own. Knows nothing of models.

Splitting each product over the cores makes all of them wait, many times a layer, for the slowest; where
something else wants a core too, that costs several times the work itself. Work that stands side by side
waits for nobody.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from nifos_stream.model.memory import keep_freed_memory

Work = TypeVar("Work")
Result = TypeVar("Result")


class Lanes:
    """Threads that each compute on one core. They end with the process."""

    def __init__(self, count: int) -> None:
        keep_freed_memory()
        self.count = count
        before = torch.get_num_threads()
        together = threading.Barrier(count)

        def start() -> None:
            torch.get_num_threads()  # A thread takes over the common number once, when it first asks for it.
            torch.set_num_threads(1)
            # Numbers below 1e-38 take a CPU a hundred times as long, and no label hangs on them.
            torch.set_flush_denormal(True)
            together.wait()

        self._pool = ThreadPoolExecutor(count, thread_name_prefix="lane", initializer=start)
        for started in [self._pool.submit(together.wait) for _ in range(count)]:
            started.result()
        # That number belongs to the calling thread, but is also what threads begin with that come later.
        torch.set_num_threads(before)

    def map(self, work: Callable[[Work], Result], items: Iterable[Work]) -> list[Result]:
        """Return what `work` makes of each item, in order; the first exception is raised."""
        return list(self.start(work, items))

    def start(self, work: Callable[[Work], Result], items: Iterable[Work]) -> Iterator[Result]:
        """Let the lanes begin with all items, behind those of earlier calls; iterating waits for each."""
        return self._pool.map(work, items)

    def close(self) -> None:
        """Let no more work begin; what has begun is finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)
