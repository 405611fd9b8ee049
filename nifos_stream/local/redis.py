"""A real Redis on loopback, in a data directory. Knows nothing of the counts in it."""

import contextlib
import signal
import time
from pathlib import Path

import redis

from nifos_stream.errors import UserError
from nifos_stream.local import datadir, distribution
from nifos_stream.local.process import ServerProcess

READY_SECONDS = 60.0
STOP_SECONDS = 10.0


class LocalRedis:
    """One Redis in `folder`. `start` returns at once; `wait_ready` returns when it answers."""

    def __init__(self, folder: Path, *, port: int, lock: int) -> None:
        """lock: the descriptor of the data directory's lock, which the server inherits."""
        self.folder = folder
        self.port = port
        self._lock = lock
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        """redis:// URL for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """The server's process id, None before the first start."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.exit_code is None

    def start(self) -> None:
        """Start it: an append-only file synced each second, no eviction."""
        program = str(distribution.redis_server())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise datadir.unusable(self.folder, error) from None
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        argv = [program, *(part for name, value in options.items() for part in (f"--{name}", value))]
        self._process = ServerProcess(argv, self.folder / "redis.log", keep_open=[self._lock])

    def wait_ready(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Return once it answers PING with its data loaded. UserError when it ends or does not answer."""
        deadline = time.monotonic() + timeout_seconds
        with redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=2) as client:
            while True:
                if not self.running:
                    raise self.failure()
                if time.monotonic() > deadline:
                    raise UserError(
                        f"Redis did not answer at {self.url} in time; see {self.folder}/redis.log."
                    )
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    return
                time.sleep(0.02)

    def stop(self) -> None:
        """End it in order, its data on disk, or by force after 10 s."""
        if self._process:
            self._process.stop(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL: up to a second of writes is lost only if the machine dies with it."""
        if self._process:
            self._process.kill()

    def send(self, sent: signal.Signals) -> None:
        """Send it a signal, e.g. SIGSTOP."""
        if self._process:
            self._process.send(sent)

    def failure(self) -> UserError:
        """The sentence for a server that ended by itself."""
        log = self._process.log_tail() if self._process else []
        text = "\n".join(log)
        if "No space left on device" in text:
            return datadir.full(self.folder)
        if "Address already in use" in text:
            return UserError(f"Redis's port {self.port} was taken while it started; try again.")
        cause = next((line.strip() for line in reversed(log) if " # " in line), "no reason given")
        return UserError(f"Redis ended ({cause[:200]}); its log is {self.folder}/redis.log.")
