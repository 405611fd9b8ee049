"""Kafka and Redis together, in one data directory, on ports that it keeps. Knows no topic."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from nifos_stream.errors import UserError
from nifos_stream.local.datadir import DataDir, choose_port
from nifos_stream.local.kafka import LocalKafka
from nifos_stream.local.redis import LocalRedis

Server = TypeVar("Server", LocalKafka, LocalRedis)

KAFKA_PORT = 9092
REDIS_PORT = 6379


class LocalStack:
    """Real Kafka and real Redis on 127.0.0.1; a context manager that starts and stops both.

        with LocalStack(Path("data")) as stack:
            stack.bootstrap_servers, stack.redis_url

    Data and ports survive `stop` and `start` with the same `data_dir`. Both servers also end when this
    process dies. For fault tests, `stack.kafka` and `stack.redis` have stop, kill, send(signal), start and
    wait_ready of their own.
    """

    def __init__(
        self,
        data_dir: Path,
        kafka_port: int | None = 0,
        redis_port: int | None = 0,
        *,
        heap_mb: int = 512,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start nothing yet.

        Ports: a number that must be free; 0 for the directory's own or any free one; None for the
        directory's own, else the usual one (9092, 6379), else any free one.

        report: told, in one sentence, what takes long.
        """
        self._directory = DataDir(data_dir)
        self._asked = {"kafka": kafka_port, "redis": redis_port}
        self._heap_mb = heap_mb
        self._report = report
        self._kafka: LocalKafka | None = None
        self._redis: LocalRedis | None = None

    @property
    def data_dir(self) -> Path:
        """Where the data is."""
        return self._directory.path

    @property
    def kafka(self) -> LocalKafka:
        """The broker of a started stack."""
        return _started(self._kafka)

    @property
    def redis(self) -> LocalRedis:
        """The Redis of a started stack."""
        return _started(self._redis)

    @property
    def bootstrap_servers(self) -> str:
        """127.0.0.1:port of Kafka."""
        return self.kafka.bootstrap_servers

    @property
    def redis_url(self) -> str:
        """redis:// URL of Redis."""
        return self.redis.url

    def start(self) -> Self:
        """Start both at once and return when both answer; on any error nothing stays running. UserError."""
        self._directory.acquire()
        try:
            ports = self._choose_ports()
            lock = self._directory.lock
            self._redis = LocalRedis(self.data_dir / "redis", port=ports["redis"], lock=lock)
            self._kafka = LocalKafka(
                self.data_dir / "kafka",
                port=ports["kafka"],
                controller_port=ports["controller"],
                heap_mb=self._heap_mb,
                lock=lock,
            )
            self._kafka.start(self._report)
            self._redis.start()
            self._redis.wait_ready()
            self._kafka.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both in order and free the data directory. Does nothing where nothing runs."""
        with contextlib.ExitStack() as steps:
            steps.callback(self._directory.release)
            if self._kafka:
                steps.callback(self._kafka.stop)
            if self._redis:
                steps.callback(self._redis.stop)

    def kill(self) -> None:
        """SIGKILL both, and free the data directory."""
        self.kafka.kill()
        self.redis.kill()
        self._directory.release()

    def restart_kafka(self, *, by_force: bool = False) -> None:
        """Stop the broker (by_force: SIGKILL) and start it again on its port; returns when it answers."""
        if by_force:
            self.kafka.kill()
        else:
            self.kafka.stop()
        self.kafka.start()
        self.kafka.wait_ready()

    def restart_redis(self, *, by_force: bool = False) -> None:
        """Stop Redis (by_force: SIGKILL) and start it again on its port; returns when it answers."""
        if by_force:
            self.redis.kill()
        else:
            self.redis.stop()
        self.redis.start()
        self.redis.wait_ready()

    def failure(self) -> UserError | None:
        """What to tell when a server ended by itself; None while both run."""
        ended = (server for server in (self.kafka, self.redis) if not server.running)
        return next((server.failure() for server in ended), None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _choose_ports(self) -> dict[str, int]:
        kept = self._directory.ports()
        ports = {
            "kafka": choose_port("Kafka", self._asked["kafka"], default=KAFKA_PORT, kept=kept.get("kafka")),
            "redis": choose_port("Redis", self._asked["redis"], default=REDIS_PORT, kept=kept.get("redis")),
            "controller": choose_port("Kafka", 0, default=0, kept=kept.get("controller")),
        }
        if len(set(ports.values())) < len(ports):
            raise UserError("Kafka and Redis cannot share one port.")
        self._directory.keep_ports(ports)
        return ports


def _started(server: Server | None) -> Server:
    if server is None:
        raise RuntimeError("the stack was not started")
    return server
