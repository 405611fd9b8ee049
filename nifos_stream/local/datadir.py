"""The data directory of a local stack: who uses it, and the ports that it keeps. Knows no server."""

import errno
import fcntl
import json
import os
import random
import shutil
import socket
import time
from pathlib import Path

from nifos_stream.errors import UserError

LEAST_FREE_BYTES = 100 << 20
ENDING_SECONDS = 15.0
"""How long the servers of a stack that died may take to end, before its directory counts as in use."""


class DataDir:
    """A directory that one stack at a time may use; open from `acquire` to `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: int | None = None

    @property
    def lock(self) -> int:
        """The lock's file descriptor. Servers inherit it: the directory is in use while any of them lives."""
        if self._lock is None:
            raise RuntimeError("the data directory is not acquired")
        return self._lock

    def acquire(self) -> None:
        """Make the directory and lock it. UserError where another stack uses it, or it cannot be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise unusable(self.path, error) from None
        try:
            self._wait_for(lock)
            if shutil.disk_usage(self.path).free < LEAST_FREE_BYTES:
                raise full(self.path)
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
        except OSError as error:
            os.close(lock)
            raise unusable(self.path, error) from None
        except UserError:
            os.close(lock)
            raise
        self._lock = lock

    def release(self) -> None:
        """Let another stack use it, once the servers have ended."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def ports(self) -> dict[str, int]:
        """The ports that the last stack in this directory had; empty for a new one."""
        try:
            kept = json.loads((self.path / "ports.json").read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(kept, dict):
            return {}
        return {name: port for name, port in kept.items() if isinstance(port, int)}

    def keep_ports(self, ports: dict[str, int]) -> None:
        """Remember them for the next start."""
        try:
            (self.path / "ports.json").write_text(json.dumps(ports))
        except OSError as error:
            raise unusable(self.path, error) from None

    def _wait_for(self, lock: int) -> None:
        deadline = time.monotonic() + ENDING_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
                if _alive(holder) or time.monotonic() >= deadline:
                    raise UserError(
                        f"The data directory {self.path} is in use by another stack (pid {holder or '?'})."
                    ) from None
                time.sleep(0.1)
            else:
                return


def unusable(path: Path, error: OSError) -> UserError:
    """The sentence for a directory that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(path)
    return UserError(f"The data directory {path} cannot be used: {error.strerror or error}.")


def full(path: Path) -> UserError:
    """The sentence for a full disk."""
    return UserError(
        f"The disk that holds {path} is full: the local stack needs {LEAST_FREE_BYTES >> 20} MiB free."
    )


def choose_port(server: str, asked: int | None, *, default: int, kept: int | None) -> int:
    """The port to use on 127.0.0.1.

    asked: a port that must be free (else UserError); 0 for the kept one or any free one; None for the
    kept one, else the server's default, else any free one.
    """
    if asked:
        if not 0 < asked < 65536:
            raise UserError(f"{asked} is not a port for {server}: ports go from 1 to 65535.")
        if not is_free(asked):
            raise UserError(
                f"Port {asked} for {server} is taken on 127.0.0.1; free it, or give 0 to have one chosen."
            )
        return asked
    wishes = [kept, default if asked is None else None]
    return next((port for port in wishes if port and is_free(port)), None) or free_port()


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port below those that the system gives to outgoing connections.

    A client that retries while its server restarts could otherwise take the server's port itself.
    """
    for port in random.SystemRandom().sample(range(15_000, 32_000), 200):
        if is_free(port):
            return port
    raise UserError("No free port was found between 15000 and 32000 on 127.0.0.1.")


def _alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
