"""A real Redis on loopback, in a data directory. Knows nothing of the counts in it."""

import contextlib
import time

import redis

from nifos_stream.errors import UserError
from nifos_stream.local import datadir, distribution
from nifos_stream.local.process import ServerProcess
from nifos_stream.local.server import LocalServer

READY_SECONDS = 60.0


class LocalRedis(LocalServer):
    """One Redis in `folder`. `start` returns at once; `wait_ready` returns when it answers."""

    stop_seconds = 10.0

    @property
    def url(self) -> str:
        """redis:// URL for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

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
