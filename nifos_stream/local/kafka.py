"""Real Apache Kafka, one KRaft node on loopback, in a data directory. Knows no topic."""

import base64
import contextlib
import json
import logging
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from nifos_stream.errors import UserError
from nifos_stream.local import datadir, distribution
from nifos_stream.local.process import ServerProcess
from nifos_stream.local.server import LocalServer

READY_SECONDS = 90.0

_silent = logging.getLogger("nifos_stream.local.librdkafka")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False

# One node has one copy of everything. A consumer that was killed, or a transaction that was left open,
# must show within seconds, and start and memory must stay small.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
inter.broker.listener.name=PLAINTEXT
log.dirs={log_dirs}
auto.create.topics.enable=false

offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=8000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=1500
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000

num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=8388608
"""


def properties_text(port: int, controller_port: int, log_dirs: Path) -> str:
    """What server.properties holds. UserError for a path that Kafka would take for two."""
    if "," in str(log_dirs):
        raise UserError(f"The data directory {log_dirs} has a comma in its path, where Kafka begins another.")
    # Java reads the file as Latin-1 with the escapes of JSON; a Korean folder would become another one.
    path = json.dumps(str(log_dirs))[1:-1]
    return _PROPERTIES.format(port=port, controller_port=controller_port, log_dirs=path)


def _environment() -> dict[str, str]:
    """Java finds a path that is not ASCII only where the locale can say it."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


class LocalKafka(LocalServer):
    """One Kafka node in `folder`. `start` returns at once; `wait_ready` returns when it answers."""

    stop_seconds = 20.0

    def __init__(
        self, folder: Path, *, port: int, controller_port: int, heap_mb: int = 512, lock: int
    ) -> None:
        """lock: the descriptor of the data directory's lock, which the broker inherits."""
        super().__init__(folder, port=port, lock=lock)
        self.controller_port = controller_port
        self._heap_mb = heap_mb

    @property
    def bootstrap_servers(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    def start(self, report: Callable[[str], None] = lambda _: None) -> None:
        """Write the properties, format the directory if it is new, and start the broker."""
        class_path = distribution.kafka_classpath(report)
        java = str(distribution.java())
        properties = self.folder / "server.properties"
        log_dirs = self.folder / "log"
        try:
            log_dirs.mkdir(parents=True, exist_ok=True)
            properties.write_text(properties_text(self.port, self.controller_port, log_dirs))
        except OSError as error:
            raise datadir.unusable(self.folder, error) from None
        if not (log_dirs / "meta.properties").exists():
            self._format([java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", class_path], properties)
        self._process = ServerProcess(
            [
                java,
                f"-Xmx{self._heap_mb}m",
                # The first compiler alone: two fifths less CPU time to start, and no slower afterwards.
                "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
                "-cp",
                class_path,
                "kafka.Kafka",
                str(properties),
            ],
            self.folder / "kafka.log",
            env=_environment(),
            keep_open=[self._lock],
        )

    def _format(self, java: list[str], properties: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
        argv = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster_id, "-c", str(properties)]
        done = subprocess.run([*java, *argv], capture_output=True, text=True, check=False, env=_environment())
        if done.returncode != 0:
            raise self._failed(
                "could not prepare its data directory", (done.stdout + done.stderr).splitlines()
            )

    def wait_ready(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Return once the broker answers a request for its topics. UserError when it ends or stays mute."""
        deadline = time.monotonic() + timeout_seconds
        while not self._listening():
            self._check_alive(deadline)
            time.sleep(0.05)
        config: dict[str, Any] = {"bootstrap.servers": self.bootstrap_servers, "logger": _silent}
        admin = AdminClient(config)
        while True:
            self._check_alive(deadline)
            with contextlib.suppress(KafkaException):
                if admin.list_topics(timeout=2).brokers:
                    return

    def failure(self) -> UserError:
        """The sentence for a broker that ended by itself."""
        return self._failed("ended", self._process.log_tail() if self._process else [])

    def _listening(self) -> bool:
        with socket.socket() as client:
            client.settimeout(1)
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def _check_alive(self, deadline: float) -> None:
        if not self.running:
            raise self.failure()
        if time.monotonic() > deadline:
            raise UserError(
                f"Kafka did not answer at {self.bootstrap_servers} in time; see {self.folder}/kafka.log."
            )

    def _failed(self, what: str, log: list[str]) -> UserError:
        text = "\n".join(log)
        if "No space left on device" in text:
            return datadir.full(self.folder)
        if "Address already in use" in text:
            return UserError(
                f"Kafka's port {self.port} or {self.controller_port} was taken while it started; try again."
            )
        if "UnsupportedVersionException" in text:
            return UserError(
                f"The data in {self.folder} is of a newer Kafka than {distribution.KAFKA_VERSION}, which"
                " cannot read it; take another --data-dir, or delete this one to begin afresh."
            )
        telling = [line for line in log if "Exception" in line or "ERROR" in line] or log
        cause = telling[-1] if telling else "no reason given"
        return UserError(f"Kafka {what} ({cause.strip()[:200]}); its log is {self.folder}/kafka.log.")
