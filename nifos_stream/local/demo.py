"""`demo`: the whole way of real posts on one machine, from Kafka to the counts, and a look at the result."""

import datetime as dt
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from confluent_kafka import KafkaError, Message, Producer
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from nifos_stream import kafka
from nifos_stream.counters.reader import Counts, Total
from nifos_stream.errors import NifosError
from nifos_stream.local.datadir import choose_port
from nifos_stream.local.environment import activation
from nifos_stream.local.interrupts import signals_as_interrupt
from nifos_stream.local.sample import sample_posts
from nifos_stream.local.stack import LocalStack
from nifos_stream.local.up import settings_for
from nifos_stream.local.worker import Worker, program, worker_process
from nifos_stream.messages import LABELS
from nifos_stream.settings import Settings
from nifos_stream.topic import TopicReader
from nifos_stream.watch.look import label_text, percent
from nifos_stream.watch.tables import lines, table

LOOK_EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 600.0
TABLE_CELLS = 78
PAGE_PORT = 8080
_NO_PAGE = "a live page, once you pip install 'nifos-stream[web]'"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the sample.

    by_label, dead_letters: records of the topics, read as any consumer reads them. seconds: from the first
    count to the last.
    """

    posts: int
    dead_letters: int
    by_label: Counter[str]
    seconds: float
    counts: Total

    @property
    def labelled(self) -> int:
        """Events on the labelled topic."""
        return self.by_label.total()

    def problem(self) -> str | None:
        """What does not add up; None when each post is in one place and every labelled one is counted."""
        if self.labelled + self.dead_letters != self.posts:
            return f"{self.posts} posts became {self.labelled} labelled and {self.dead_letters} dead letters"
        counted = {label.value: self.counts.total.of(label) for label in LABELS}
        if counted != {label.value: self.by_label[label] for label in LABELS}:
            return f"the labelled topic holds {dict(self.by_label)}, but {counted} were counted"
        return None


def run_demo(settings: Settings, *, serve: bool = False, out: TextIO | None = None) -> None:
    """Label the sample on a local Kafka and Redis, show the counts, and check that they add up.

    serve: stay up afterwards until Ctrl-C. NifosError when the worker ends by itself, or something is
    missing at the end; UserError when the stack cannot start; KeyboardInterrupt at SIGINT or SIGTERM.
    """
    console = Console(file=out, highlight=False)
    with ExitStack() as stack:
        stack.enter_context(signals_as_interrupt())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nifos-demo-")))
        console.print("Starting Kafka and Redis …", style="dim")
        servers = stack.enter_context(
            LocalStack(directory, report=lambda said: console.print(said, style="dim"))
        )
        local = settings_for(servers, settings)
        kafka.create_topics(kafka.connect(local.kafka), local)
        worker = stack.enter_context(worker_process(local, directory / "worker.log"))
        processes, page = [worker], None
        if serve and _has_page():
            page = choose_port("the page", None, default=PAGE_PORT, kept=None)
            web = program(local, directory / "web.log", "web", "--listen", f"127.0.0.1:{page}")
            processes.append(stack.enter_context(web))
            console.print(f"Live at {_address(page)}")
        counts = stack.enter_context(Counts(servers.redis_url, timezone=local.timezone))
        outcome = _run(local, counts, worker, console)
        _summarise(outcome, servers, console, serve=serve, page=page)
        if problem := outcome.problem():
            raise NifosError(f"The demo does not add up: {problem}.")
        if serve:
            _stay(processes, servers)


def _has_page() -> bool:
    """Whether the extra `web` is installed."""
    return all(find_spec(name) is not None for name in ("fastapi", "uvicorn"))


def _address(page: int) -> str:
    return f"http://127.0.0.1:{page}/?window=24h"


def _run(settings: Settings, counts: Counts, worker: Worker, console: Console) -> Outcome:
    posts = list(sample_posts(dt.datetime.now(settings.zone)))
    progress = Progress(
        TextColumn("{task.description:<9}"), BarColumn(40), MofNCompleteColumn(), TimeElapsedColumn()
    )
    sent = progress.add_task("produced", total=len(posts))
    counted = progress.add_task("counted", total=len(posts))
    deadline = time.monotonic() + PATIENCE_SECONDS
    with (
        TopicReader(settings.kafka, settings.topics.sentiment) as labelled,
        TopicReader(settings.kafka, settings.topics.dead_letters) as letters,
        Live(progress, console=console, refresh_per_second=4) as live,
    ):
        _produce(settings, posts, lambda: progress.advance(sent))
        started = None
        while time.monotonic() < deadline:
            worker.check()
            seen = counts.total("source")
            started = started or (time.monotonic() if seen.total.total else None)
            progress.update(counted, completed=seen.total.total)
            live.update(Group(progress, Text(), *_by_source(seen)))
            given_up = sum(1 for _ in letters.all())
            if seen.total.total + given_up >= len(posts) and seen.freshness.behind == 0:
                break
            time.sleep(LOOK_EVERY_SECONDS)
        seconds = time.monotonic() - (started or deadline)
        labels = Counter(json.loads(event.value() or b"")["sentiment"]["label"] for event in labelled.all())
        return Outcome(len(posts), given_up, labels, seconds, counts.total("source"))


def _produce(settings: Settings, posts: Sequence[dict[str, Any]], sent: Callable[[], object]) -> None:
    """Send the posts; NifosError when Kafka does not take one."""
    refused: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is None:
            sent()
        else:
            refused.append(error)

    producer = Producer(kafka.producer_config(settings.kafka))
    for post in posts:
        value = json.dumps(post, ensure_ascii=False).encode()
        producer.produce(settings.topics.posts, value, key=post["id"], on_delivery=delivered)
        producer.poll(0)
    if producer.flush(PATIENCE_SECONDS) or refused:
        raise NifosError(f"Kafka did not take every post: {refused[0].str() if refused else 'no answer'}.")


def _by_source(seen: Total) -> list[Text]:
    return table("source", lines(seen.groups, seen.other), TABLE_CELLS)


def _summarise(
    outcome: Outcome, servers: LocalStack, console: Console, *, serve: bool, page: int | None
) -> None:
    counted = outcome.counts.total
    console.print()
    console.print(
        f"{outcome.posts:,} posts in, {outcome.labelled:,} labelled, {outcome.dead_letters:,} dead letters,"
        f" {counted.total:,} counted, in {outcome.seconds:.1f} s"
        f" ({outcome.labelled / max(outcome.seconds, 1e-3):,.0f} posts/s)",
        soft_wrap=True,
    )
    line = Text()
    for label in LABELS:
        line.append_text(label_text(label)).append(
            f" {counted.of(label):,} ({percent(counted.share(label))})   "
        )
    console.print(line)
    console.print(_next_steps(servers, serve=serve, page=page), style="dim", soft_wrap=True)


def _next_steps(servers: LocalStack, *, serve: bool, page: int | None) -> str:
    first = activation()
    if not serve:
        return (
            f"\nNext: {f'`{first}`, then ' if first else ''}`nifos-stream demo --serve` shows it live in a"
            " browser, and stays up;\n`nifos-stream up` and `nifos-stream worker` do the same with data that"
            " stays. --help has the rest."
        )
    return (
        f"\nIn a browser: {_address(page) if page else _NO_PAGE}"
        "\nIn another terminal:"
        + (f"\n  {first}" if first else "")
        + f"\n  export NIFOS_KAFKA__BOOTSTRAP_SERVERS={servers.bootstrap_servers}"
        f"\n  export NIFOS_REDIS__URL={servers.redis_url}"
        "\n  nifos-stream watch --window 24h"
        "\n  nifos-stream tail --label negative"
        "\n  nifos-stream counts --window 24h --by keyword"
        "\nCtrl-C ends everything; the data goes with it."
    )


def _stay(processes: Sequence[Worker], servers: LocalStack) -> None:
    """Until Ctrl-C, or until something ends by itself."""
    with suppress(KeyboardInterrupt):
        while True:
            for process in processes:
                process.check()
            if failure := servers.failure():
                raise failure
            time.sleep(LOOK_EVERY_SECONDS)
