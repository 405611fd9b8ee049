"""A server process that ends with its parent, and its log file. Knows nothing of what it serves."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOG_KEPT_BYTES = 8 << 20

# Linux sends the death signal when the THREAD that started the child ends, so one thread that lives as
# long as this process starts them all.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn")

# Runs in the child before the server itself: asks for SIGTERM at the parent's death, then becomes the
# server. An own program instead of `preexec_fn`, which is not safe in a process with threads.
_ASK_FOR_DEATH_SIGNAL = """
import ctypes, os, sys
prctl = getattr(ctypes.CDLL(None), "prctl", None)
if prctl is not None:
    prctl(1, 15)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class ServerProcess:
    """One running server. Its output goes to `log_path`, of which the last 8 to 16 MiB are kept."""

    def __init__(
        self,
        argv: Sequence[str],
        log_path: Path,
        *,
        env: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        """Start `argv` (its first item an absolute path) in its own session, where no Ctrl-C reaches it.

        keep_open: file descriptors that the server inherits, such as the lock of its data directory.
        """
        self.log_path = log_path
        if log_path.exists() and log_path.stat().st_size > LOG_KEPT_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        wrapped = [sys.executable, "-I", "-S", "-c", _ASK_FOR_DEATH_SIGNAL, str(os.getpid()), *argv]
        with log_path.open("ab") as log:
            self._log_start = log.tell()
            self._process = _spawner.submit(
                subprocess.Popen,
                wrapped,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                pass_fds=tuple(keep_open),
                start_new_session=True,
            ).result()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self._process.poll()

    def stop(self, timeout_seconds: float) -> None:
        """SIGTERM, wait, then SIGKILL. Does nothing where it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def send(self, sent: signal.Signals) -> None:
        """Send it a signal, e.g. SIGSTOP and SIGCONT."""
        self._process.send_signal(sent)

    def log_tail(self, lines: int = 200) -> list[str]:
        """The last lines that it wrote since it was started."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(self._log_start)
                return [line.decode(errors="replace").rstrip() for line in deque(log, maxlen=lines)]
        except OSError:
            return []
