"""Workers as processes of their own, watched through their logs.

WorkerProcess(settings, model, role="all", extra=())   starts one; its stderr is read line by line
    .owned, .committed, .in_transaction                what its log says so far
    .exit(sig) / .stop()                               a signal and its end / SIGTERM, exit code 0 expected
    .saw(event, count=1)                               whether it logged an event so often
    .at("transaction.begun")                           threading.Event, set when that is logged next
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from nifos_stream.settings import Settings
from tests.integration.kafka_tools import environment

_QUICK = {
    # A killed worker is missed within seconds, so that a test can kill many.
    "NIFOS_KAFKA__CONSUMER_PROPERTIES": json.dumps(
        {"session.timeout.ms": 4000, "heartbeat.interval.ms": 500, "fetch.wait.max.ms": 50}
    ),
    "NIFOS_STREAM__TRANSACTION_TIMEOUT_SECONDS": "5",
    "NIFOS_STREAM__HANDOVER_TIMEOUT_SECONDS": "3",
    "NIFOS_MODEL__THREADS": "1",
    "NIFOS_MODEL__DTYPE": "fp32",
    "NIFOS_LOGS__LEVEL": "debug",
    "NIFOS_LOGS__FORMAT": "json",
    "OMP_NUM_THREADS": "1",
}


class WorkerProcess:
    """One `nifos-stream worker` and what its log says."""

    def __init__(
        self, settings: Settings, model: Path, *, role: str = "all", extra: tuple[str, ...] = ()
    ) -> None:
        command = [
            sys.executable,
            "-m",
            "nifos_stream",
            "worker",
            "--role",
            role,
            "--model",
            str(model),
            *extra,
        ]
        self.events: list[dict] = []
        self.owned: set[int] = set()
        self.committed = 0
        self.in_transaction = False
        self._wake: dict[str, threading.Event] = {}
        self._process = subprocess.Popen(
            command,
            env=environment(settings) | _QUICK,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def qualified(self) -> bool:
        """It owns partitions, and has committed since it started."""
        return bool(self.owned) and self.committed > 0

    def saw(self, event: str, count: int = 1) -> bool:
        return sum(line.get("event") == event for line in self.events) >= count

    def at(self, event: str) -> threading.Event:
        """Set when the worker logs `event` for the next time."""
        return self._wake.setdefault(event, threading.Event())

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def exit(self, number: signal.Signals, timeout_seconds: float = 60) -> int:
        """Send a signal and wait for the end; everything that it logged is known afterwards."""
        if self.alive:
            self.send(number)
        code = self._process.wait(timeout_seconds)
        self._reader.join(10)
        return code

    def stop(self) -> None:
        """SIGTERM; it must leave in good order."""
        code = self.exit(signal.SIGTERM)
        assert code == 0, f"exit code {code}: {self.tail()}"

    def wait(self, timeout_seconds: float = 120) -> int:
        """The exit code of a worker that ends by itself."""
        code = self._process.wait(timeout_seconds)
        self._reader.join(10)
        return code

    def tail(self, lines: int = 15) -> str:
        return "\n".join(map(str, self.events[-lines:]))

    def _read(self) -> None:
        with self._process.stderr as log:
            for text in log:
                try:
                    line = json.loads(text)
                except ValueError:
                    line = {"event": "(no JSON)", "line": text.rstrip()}
                self._note(line)

    def _note(self, line: dict) -> None:
        event = line.get("event")
        self.events.append(line)
        if line.get("component") == "stream.source" and event == "partitions.assigned":
            self.owned |= set(line["partitions"])
        elif line.get("component") == "stream.source" and event in ("partitions.revoked", "partitions.lost"):
            self.owned -= set(line["partitions"])
        elif event == "transaction.begun":
            self.in_transaction = True
        elif event in ("batch.published", "batch.interrupted", "batch.dropped"):
            self.in_transaction = False
            self.committed += event == "batch.published"
        if waiting := self._wake.get(event):
            waiting.set()
