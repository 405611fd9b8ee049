"""What a local server of any kind has in common: a folder, a port, and a process. Knows no kind."""

import signal
from pathlib import Path

from nifos_stream.local.process import ServerProcess


class LocalServer:
    """One server in `folder`, on `port` of loopback; its kind says how it starts and what ended it."""

    stop_seconds: float
    """How long it may take to end in order."""

    def __init__(self, folder: Path, *, port: int, lock: int) -> None:
        """lock: the descriptor of the data directory's lock, which the server inherits."""
        self.folder = folder
        self.port = port
        self._lock = lock
        self._process: ServerProcess | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, None before the first start."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.exit_code is None

    def stop(self) -> None:
        """End it in order, its data on disk, or by force after `stop_seconds`."""
        if self._process:
            self._process.stop(self.stop_seconds)

    def kill(self) -> None:
        """SIGKILL: as a power cut, as far as the process goes."""
        if self._process:
            self._process.kill()

    def send(self, sent: signal.Signals) -> None:
        """Send it a signal, e.g. SIGSTOP."""
        if self._process:
            self._process.send(sent)
