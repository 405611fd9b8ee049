"""A worker as a process of its own, with just the settings given. Knows no stage."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nifos_stream.errors import NifosError
from nifos_stream.settings import Settings

LOG_LINES_SHOWN = 15


class Worker:
    """A worker process and its log."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """NifosError, with the end of its log, when the worker is no more."""
        if self._process.poll() is not None:
            last = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            raise NifosError("The worker ended by itself. Its last words:\n" + "\n".join(last))


@contextmanager
def worker_process(settings: Settings, log: Path, *extra: str) -> Iterator[Worker]:
    """`nifos-stream worker` as a process of its own, stopped at the end. extra: more of its options."""
    argv = [sys.executable, "-m", "nifos_stream", "worker", *extra]
    with log.open("wb") as file:
        process = subprocess.Popen(argv, env=environment_of(settings), stdout=file, stderr=file)
        try:
            yield Worker(process, log)
        finally:
            process.terminate()
            process.wait()


def environment_of(settings: Settings) -> dict[str, str]:
    """Variables that give a worker just these settings, wherever they came from."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("NIFOS_")}
    sections = settings.model_dump(mode="json", exclude={"timezone", "kafka", "redis", "http", "web", "logs"})
    return kept | {
        "NIFOS_TIMEZONE": settings.timezone,
        "NIFOS_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "NIFOS_REDIS__URL": settings.redis.url.get_secret_value(),
        **{f"NIFOS_{name.upper()}": json.dumps(section) for name, section in sections.items()},
    }
