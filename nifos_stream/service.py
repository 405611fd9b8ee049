"""Run stages side by side until a signal, a failure, or nothing is left to do. Knows no stage's work."""

import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

from nifos_stream import logs
from nifos_stream.errors import Stopped
from nifos_stream.metrics import Metrics
from nifos_stream.stage import Health, Stage

log = logs.get("service")

_LOOK_SECONDS = 0.1
# Each report of a delivered message, and each product of the model, waits for the interpreter; with Python's
# own 5 ms whoever decodes meanwhile held it up by a fifth.
_SWITCH_SECONDS = 0.001
# A batch is tens of thousands of objects, in no cycle, beside the hundreds of thousands of torch's that stay.
# Looking for cycles among them all after each 700 new ones, as Python does, was a fifth of all CPU time.
_OBJECTS_PER_COLLECTION = 20_000


class Service:
    """Stages that run in threads of their own; when one ends, all end.

    One at a time is meant to run in a process: it changes how the interpreter collects garbage and lets
    threads take turns, and puts back what it found. Where two overlap, the last may leave it changed.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        metrics: Metrics,
        *,
        until_idle_seconds: float | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._stages = stages
        self._metrics = metrics
        self._until_idle_seconds = until_idle_seconds
        self._stop = stop if stop is not None else threading.Event()
        self._failures: list[BaseException] = []

    def health(self) -> dict[str, Health]:
        """How each stage is, by its name."""
        return {stage.name: stage.health() for stage in self._stages}

    def run(self) -> None:
        """Run until stopped or idle for long enough. Raises the first failure of a stage."""
        with _tuned_interpreter():
            self._run()
        if self._failures:
            raise self._failures[0]

    def _run(self) -> None:
        threads = [
            threading.Thread(target=self._run_stage, args=(stage,), name=stage.name) for stage in self._stages
        ]
        for thread in threads:
            thread.start()
        while not self._stop.wait(_LOOK_SECONDS):
            self._metrics.healthy.set(all(health.ok for health in self.health().values()))
            if self._idle_for_long():
                log.info("service.idled", seconds=self._until_idle_seconds)
                break
        self._stop.set()
        for thread in threads:
            thread.join()

    def _idle_for_long(self) -> bool:
        if self._until_idle_seconds is None:
            return False
        idle = [stage.idle_seconds() for stage in self._stages]
        # A busy stage says 0, and must not end by a limit of 0.
        return min(idle) > 0 and min(idle) >= self._until_idle_seconds

    def _run_stage(self, stage: Stage) -> None:
        try:
            log.info("stage.started", stage=stage.name)
            with contextlib.suppress(Stopped):
                stage.run(self._stop)
            log.info("stage.ended", stage=stage.name)
        except BaseException as failure:  # noqa: BLE001 - it is raised again in the thread that waits
            self._failures.append(failure)
        finally:
            self._stop.set()


@contextlib.contextmanager
def _tuned_interpreter() -> Iterator[None]:
    """Let threads take turns sooner, and look for cycles less often and among what is new alone."""
    interval_before, thresholds_before = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.set_threshold(_OBJECTS_PER_COLLECTION, *thresholds_before[1:])
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds_before)
        sys.setswitchinterval(interval_before)


@contextlib.contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Set `stop` at SIGTERM or SIGINT while the block runs. Only the main thread may use it."""

    def ask(number: int, _frame: FrameType | None) -> None:
        log.info("service.stopping", signal=signal.Signals(number).name)
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
