"""Run one program until its last label can be read, and take the time. Knows no other program.

The clock starts when the program has its first posts in hand: for a peer, when it first asks for labels, with
the model loaded and warm; for nifos-stream, which is run as a user runs it, already when its log says that it
was assigned partitions. It stops when a read_committed reader has seen the last labelled event.
"""

import json
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from nifos_stream import kafka
from nifos_stream.bench.draining import counted_in_redis
from nifos_stream.errors import NifosError
from nifos_stream.local.worker import environment_of
from nifos_stream.settings import Settings
from tests.peers.apps.job import Job
from tests.peers.apps.labellers import STARTED
from tests.peers.comparison import Said, said
from tests.peers.contenders import Contender, command

ROOT = Path(__file__).parents[2]
_LAST_LINES = 15
_STOP_SECONDS = 30.0
_COUNTED_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """seconds: as the clock above took them."""

    seconds: float
    said: Sequence[Said]


def drive(
    contender: Contender,
    python: Path,
    settings: Settings,
    model: Path,
    folder: Path,
    *,
    chunk_tokens: int,
    posts: int,
    patience: float,
) -> Outcome:
    """Let a contender label what is in the posts topic. NifosError when it ends, or takes too long.

    settings: topics and groups that no other run has, but for the posts. chunk_tokens: of our classifier, in
    the worker or in a peer. patience: seconds.
    """
    *before, argv = command(contender, python, folder)
    variables, started_by = _variables(contender, settings, model, folder, chunk_tokens)
    for step in before:
        subprocess.run(step, env=variables, cwd=folder, check=True)
    with _reader(settings) as read, _running(argv, variables, folder, started_by) as program:
        deadline = time.monotonic() + patience
        events: list[bytes] = []
        ended = 0.0
        while len(events) < posts:
            program.check()
            if time.monotonic() > deadline:
                raise NifosError(
                    f"{len(events):,} of {posts:,} posts in {patience:g} s. {program.last_words()}"
                )
            if found := read():
                ended = time.perf_counter()
                events += found
        events += read()
        if contender.peer is None:
            _check_counts(settings, posts)
        return Outcome(ended - program.started_at(), [said(event) for event in events])


class Program:
    """A process, its last lines, and when it had its first posts in hand."""

    def __init__(self, process: "subprocess.Popen[str]", starts: Callable[[str], bool]) -> None:
        self._process = process
        self._starts = starts
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._started_at: float | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def check(self) -> None:
        if self._process.poll() is not None:
            self._thread.join(5)
            raise NifosError(f"It ended by itself. {self.last_words()}")

    def last_words(self) -> str:
        return "Its last words:\n" + "\n".join(self._lines)

    def started_at(self) -> float:
        if self._started_at is None:
            raise NifosError(f"It never said that it had begun. {self.last_words()}")
        return self._started_at

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(_STOP_SECONDS)

    def _follow(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if self._started_at is None and self._starts(line):
                    self._started_at = time.perf_counter()
                self._lines.append(line.rstrip())


@contextmanager
def _running(
    argv: Sequence[str], variables: Mapping[str, str], folder: Path, starts: Callable[[str], bool]
) -> Iterator[Program]:
    process = subprocess.Popen(
        argv,
        env=variables,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    program = Program(process, starts)
    try:
        yield program
    finally:
        program.stop()


@contextmanager
def _reader(settings: Settings) -> Iterator[Callable[[], list[bytes]]]:
    """What can newly be read of the labelled topic, each time it is asked."""
    topic = settings.topics.sentiment
    wanted = {"enable.partition.eof": False, "fetch.wait.max.ms": 20}
    consumer = Consumer(kafka.consumer_config(settings.kafka, "peers-that-commit-nothing", wanted))
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    try:
        yield lambda: [
            message.value() or b"" for message in consumer.consume(2000, 0.05) if message.error() is None
        ]
    finally:
        consumer.close()


def _variables(
    contender: Contender, settings: Settings, model: Path, folder: Path, chunk_tokens: int
) -> tuple[dict[str, str], Callable[[str], bool]]:
    """The environment of a program, and which line says that it has its first posts in hand."""
    if contender.peer is None:
        chosen = {"path": str(model), "dtype": contender.dtype, "chunk_tokens": chunk_tokens}
        told = settings.model.model_copy(update=chosen)
        own = environment_of(settings.model_copy(update={"model": told}))
        return own | {"NIFOS_LOGS__FORMAT": "json"}, _is_assigned
    job = Job(
        bootstrap_servers=settings.kafka.bootstrap_servers,
        posts=settings.topics.posts,
        labelled=settings.topics.sentiment,
        group=settings.stream.group_id,
        folder=str(folder),
        model=str(model),
        dtype=contender.dtype,
        labelling=contender.labelling,
        chunk_tokens=chunk_tokens,
    )
    # In a folder of its own, since some leave files where they are started.
    return os.environ | job.variables() | {"PYTHONPATH": str(ROOT)}, lambda line: line.strip() == STARTED


def _is_assigned(line: str) -> bool:
    try:
        event = json.loads(line)
    except ValueError:
        return False
    if not isinstance(event, dict):
        return False
    return (event.get("component"), event.get("event")) == ("stream.source", "partitions.assigned")


def _check_counts(settings: Settings, posts: int) -> None:
    """The counts are part of the job: what was labelled must be counted, too."""
    deadline = time.monotonic() + _COUNTED_SECONDS
    while (counted := counted_in_redis(settings)) != posts:
        if time.monotonic() > deadline:
            raise NifosError(f"{posts:,} posts were labelled, but {counted:,} are counted.")
        time.sleep(0.1)
