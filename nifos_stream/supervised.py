"""A stage that the worker can do without: when it fails it is begun again, and the others never notice.

Knows no stage's work.
"""

import math
import random
import threading
import time
from collections.abc import Callable

from nifos_stream import logs
from nifos_stream.errors import NifosError, Stopped
from nifos_stream.metrics import Metrics
from nifos_stream.stage import Health, Stage

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
PROVEN_SECONDS = 300.0
"""A stage that runs for so long is well again."""
log = logs.get("supervised")


class Supervised:
    """A Stage around another one, which `make` makes anew after each failure.

    The first one is made here, so that whatever `make` raises then ends the worker before it begins. now:
    monotonic; chance: from 0 to 1.
    """

    def __init__(
        self,
        make: Callable[[], Stage],
        metrics: Metrics,
        *,
        now: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._make = make
        self._stage: Stage | None = make()
        self.name = self._stage.name
        self._restarts = metrics.stage_restarts.labels(stage=self.name)
        metrics.stage_well.labels(stage=self.name).set_function(self._is_well)
        self._now = now
        self._chance = chance
        self._failure = ""
        self._failures = 0
        self._begun_at = now()

    def run(self, stop: threading.Event) -> None:
        """Run the stage until `stop`, however often it fails. Raises nothing that it raised."""
        while not stop.is_set():
            self._begun_at = self._now()
            try:
                self._stage = self._stage or self._make()
                self._stage.run(stop)
            except Stopped:
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the other stages go on
                self._failed(error, stop)

    def idle_seconds(self) -> float:
        """As the stage says; one that has failed keeps no worker from ending."""
        stage = self._stage
        return stage.idle_seconds() if stage is not None else math.inf

    def health(self) -> Health:
        """What is wrong with the stage; never red or unready, so that no worker is begun again for it."""
        stage = self._stage
        if stage is None:
            return Health(ok=True, ready=True, detail=f"It failed and is begun again soon: {self._failure}")
        detail = stage.health().detail
        if self._failures and not self._proven():
            detail = f"{detail} (begun again; it had failed: {self._failure})"
        return Health(ok=True, ready=True, detail=detail)

    def _failed(self, error: Exception, stop: threading.Event) -> None:
        """Say what happened, and wait before the next try."""
        if self._failures == 0 or self._proven():
            self._failures = 0
        self._failures += 1
        self._failure = str(error) if isinstance(error, NifosError) else f"{type(error).__name__}: {error}"
        self._stage = None
        if stop.is_set():
            log.warning("stage.failed", stage=self.name, error=self._failure, detail="it was about to end")
            return
        grown = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(self._failures - 1, 10))
        wait = grown * (0.5 + self._chance() / 2)
        log.error(
            "stage.failed",
            stage=self.name,
            error=self._failure,
            again_in_seconds=round(wait, 1),
            # What is no NifosError is a mistake in the program: the traceback says where.
            exc_info=None if isinstance(error, NifosError) else error,
        )
        if not stop.wait(wait):
            self._restarts.inc()
            log.info("stage.restarted", stage=self.name)

    def _is_well(self) -> bool:
        stage = self._stage
        return stage is not None and stage.health().ok

    def _proven(self) -> bool:
        return self._now() - self._begun_at >= PROVEN_SECONDS
