"""A worker, or another program of this package, as a process of its own, with just the settings given."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from nifos_stream.errors import NifosError
from nifos_stream.settings import Settings

LOG_LINES_SHOWN = 15


class Worker:
    """A process, such as a worker, and its log. name: the command that it runs."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path, name: str = "worker") -> None:
        self._process = process
        self._log = log
        self._name = name

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """NifosError, with the end of its log, when the process is no more."""
        if self._process.poll() is not None:
            last = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            raise NifosError(f"The {self._name} ended by itself. Its last words:\n" + "\n".join(last))


def worker_process(settings: Settings, log: Path, *extra: str) -> AbstractContextManager[Worker]:
    """`nifos-stream worker` as a process of its own, stopped at the end. extra: more of its options."""
    return program(settings, log, "worker", *extra)


@contextmanager
def program(settings: Settings, log: Path, name: str, *extra: str) -> Iterator[Worker]:
    """The command `name` as a process of its own, stopped at the end."""
    argv = [sys.executable, "-m", "nifos_stream", name, *extra]
    with log.open("wb") as file:
        process = subprocess.Popen(argv, env=environment_of(settings), stdout=file, stderr=file)
        try:
            yield Worker(process, log, name)
        finally:
            process.terminate()
            process.wait()


def environment_of(settings: Settings) -> dict[str, str]:
    """Variables that give a worker just these settings, wherever they came from."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("NIFOS_")}
    sections = settings.model_dump(mode="json", exclude={"timezone", "kafka", "redis", "http", "web", "logs"})
    kafka = {name: value for name, value in settings.kafka if value is not None}
    if settings.kafka.password is not None:
        kafka["password"] = settings.kafka.password.get_secret_value()
    return kept | {
        "NIFOS_TIMEZONE": settings.timezone,
        "NIFOS_KAFKA": json.dumps(kafka),
        "NIFOS_REDIS__URL": settings.redis.url.get_secret_value(),
        **{f"NIFOS_{name.upper()}": json.dumps(section) for name, section in sections.items()},
    }
