"""A classifying stage in a thread of the test's process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.stream.worker import ClassifyStage
from tests.unit.stream.fakes import FakeClassifier


@dataclass
class Running:
    stage: ClassifyStage
    metrics: Metrics
    stop: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.stage.run(self.stop)
        except BaseException as failure:  # noqa: BLE001 - a test raises or inspects it
            self.failure = failure

    def wait_idle(self, seconds: float = 1.0, timeout_seconds: float = 60.0) -> None:
        """Until it has been idle for so long since now."""
        begun_at = time.monotonic()
        deadline = begun_at + timeout_seconds
        while min(self.stage.idle_seconds(), time.monotonic() - begun_at) < seconds:
            if self.failure is not None:
                raise self.failure
            assert self.thread.is_alive(), "the stage has ended"
            assert time.monotonic() < deadline, f"not idle in time: {self.stage.health()}"
            time.sleep(0.05)

    def end(self) -> float:
        """Stop it as SIGTERM would; how long that took, in seconds."""
        begun_at = time.monotonic()
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()
        if self.failure is not None:
            raise self.failure
        return time.monotonic() - begun_at

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"nifos_{name}", labels) or 0.0


@contextmanager
def running(
    settings: Settings, classifier: FakeClassifier | None = None, *, until_idle: bool = False, **options: Any
) -> Iterator[Running]:
    """options: of the stage."""
    metrics = Metrics()
    stage = ClassifyStage(settings, classifier or FakeClassifier(), metrics, until_idle=until_idle, **options)
    started = Running(stage, metrics)
    try:
        yield started
    finally:
        started.stop.set()
        started.thread.join(60)
