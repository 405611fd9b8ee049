"""`up`: the local stack with its topics, in the foreground until a signal. Runs no stage of ours."""

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from nifos_stream import kafka
from nifos_stream.errors import UserError
from nifos_stream.local.environment import activation
from nifos_stream.local.interrupts import signals_as_interrupt
from nifos_stream.local.stack import LocalStack
from nifos_stream.settings import KafkaSettings, Settings

LOOK_EVERY_SECONDS = 0.5


def default_data_dir() -> Path:
    """Where the local stack keeps its data unless told otherwise."""
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "nifos-stream"


def settings_for(stack: LocalStack, settings: Settings) -> Settings:
    """`settings` with the addresses of a started stack; what was meant for another cluster is left out."""
    return settings.model_copy(
        update={
            "kafka": KafkaSettings(bootstrap_servers=stack.bootstrap_servers),
            "redis": type(settings.redis).model_validate({"url": stack.redis_url}),
            "topics": settings.topics.model_copy(update={"replication_factor": 1}),
        }
    )


def create_ready_topics(settings: Settings, timeout_seconds: float = 30.0) -> list[str]:
    """Create the topics that are missing; their names, once every partition of each answers. UserError."""
    admin = kafka.connect(settings.kafka)
    names = list(kafka.create_topics(admin, settings))
    deadline = time.monotonic() + timeout_seconds
    while not _answer(admin, names):
        if time.monotonic() >= deadline:
            raise UserError(f"The topics were created, but did not answer within {timeout_seconds:g} s.")
        time.sleep(0.05)
    return names


def _answer(admin: AdminClient, names: list[str]) -> bool:
    """A topic that was just created is listed before its partitions have a leader that takes requests."""
    listed = admin.list_topics(timeout=10).topics
    if any(name not in listed or not listed[name].partitions for name in names):
        return False
    places = [TopicPartition(name, number) for name in names for number in listed[name].partitions]
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call] # confluent-kafka leaves it unannotated.
    asked = dict.fromkeys(places, latest)
    return all(
        future.exception() is None for future in admin.list_offsets(asked, request_timeout=10).values()
    )


def run_up(
    settings: Settings,
    *,
    data_dir: Path | None = None,
    kafka_port: int | None = None,
    redis_port: int | None = None,
    as_json: bool = False,
    out: TextIO | None = None,
) -> None:
    """Start Kafka and Redis, create the topics, say where they are, and stay until SIGINT or SIGTERM.

    Ports: None takes the directory's last one, else 9092 and 6379, else a free one; 0 any free one; a
    number must be free. out: standard output unless given; with `as_json` it gets exactly one line, once
    everything is ready. UserError where it cannot start, or a server ends by itself.
    """
    out = out or sys.stdout
    stack = LocalStack(data_dir or default_data_dir(), kafka_port, redis_port, report=_to_stderr)
    with suppress(KeyboardInterrupt), signals_as_interrupt(), stack:
        local = settings_for(stack, settings)
        topics = create_ready_topics(local)
        print(_as_json(stack) if as_json else _as_text(stack, topics), file=out, flush=True)
        while (failure := stack.failure()) is None:
            time.sleep(LOOK_EVERY_SECONDS)
        raise failure


def _as_json(stack: LocalStack) -> str:
    places = {"kafka": stack.bootstrap_servers, "redis": stack.redis_url, "data_dir": str(stack.data_dir)}
    return json.dumps(places, ensure_ascii=False)


def _as_text(stack: LocalStack, topics: list[str]) -> str:
    first = activation()
    return (
        f"Kafka   {stack.bootstrap_servers}\n"
        f"Redis   {stack.redis_url}\n"
        f"Topics  {', '.join(topics)}\n"
        f"Data    {stack.data_dir}\n"
        "\n"
        "In another terminal:\n"
        + (f"  {first}\n" if first else "")
        + f"  export NIFOS_KAFKA__BOOTSTRAP_SERVERS={stack.bootstrap_servers}\n"
        f"  export NIFOS_REDIS__URL={stack.redis_url}\n"
        "  nifos-stream worker\n"
        "\n"
        "Ctrl-C stops both; the data stays. To begin afresh, stop it and delete the data's directory."
    )


def _to_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
