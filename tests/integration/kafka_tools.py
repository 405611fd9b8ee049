"""What a test asks of Kafka, through clients that know nothing of nifos-stream.

Record(partition, offset, key, value, headers, timestamp_ms)       what was read
New(value, key, headers, partition, timestamp_ms)                  what is to be produced

produce_all(bootstrap, topic, records) -> [(partition, offset), …] in the order of `records` (New or bytes)
read_all(bootstrap, topic, isolation="read_committed") -> [Record, …] up to the current end
follow(bootstrap, topic, isolation="read_committed") -> iterator of Records as they come; close() it
end_offsets(bootstrap, topic, isolation="read_committed") -> {partition: offset}
start_offsets(bootstrap, topic) -> {partition: offset}
committed_offsets(bootstrap, group, topic) -> {partition: offset}, partitions without one left out
lag(bootstrap, group, topic) -> records and markers between committed and read_committed end
group_members(bootstrap, group) -> {member id: {(topic, partition), …}}
create_topic(bootstrap, topic, partitions, config=None), delete_topic(bootstrap, topic)
trim(bootstrap, topic, {partition: offset}) deletes what lies before these offsets
wait_until(condition, timeout_seconds=60, every_seconds=0.1, what="…") -> the condition's first true answer
environment(settings) -> environment variables of a nifos-stream process that shall use `settings`
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
from pydantic import SecretStr

from nifos_stream.settings import Settings

ISOLATION = {
    "read_committed": IsolationLevel.READ_COMMITTED,
    "read_uncommitted": IsolationLevel.READ_UNCOMMITTED,
}
Headers = tuple[tuple[str, bytes], ...]
T = TypeVar("T")

_silent = logging.getLogger("tests.librdkafka")
_silent.propagate = False
_silent.addHandler(logging.NullHandler())


class Record(NamedTuple):
    """A record as it was read. timestamp_ms is None where the record has none."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class New:
    """A record to produce; partition None lets the producer choose by key."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    partition: int | None = None
    timestamp_ms: int | None = None


def admin(bootstrap: str) -> AdminClient:
    """Keep it in a variable until its futures have answered: they fail when it is collected."""
    return AdminClient({"bootstrap.servers": bootstrap, "logger": _silent})


def produce_all(bootstrap: str, topic: str, records: Iterable[New | bytes]) -> list[tuple[int, int]]:
    """Produce in order and wait for every acknowledgement; where each record went."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": 20,
            "message.max.bytes": 5_000_000,
            "logger": _silent,
        }
    )
    where: dict[int, tuple[int, int]] = {}
    problems: list[KafkaError] = []

    def delivered(number: int) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                problems.append(error)
            else:
                where[number] = (message.partition(), message.offset())

        return report

    for number, given in enumerate(records):
        record = given if isinstance(given, New) else New(given)
        optional: dict[str, Any] = {}
        if record.partition is not None:
            optional["partition"] = record.partition
        if record.timestamp_ms is not None:
            optional["timestamp"] = record.timestamp_ms
        while True:
            try:
                producer.produce(
                    topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    on_delivery=delivered(number),
                    **optional,
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(120)
    assert left == 0, f"{left} records were not acknowledged"
    assert not problems, problems[:3]
    return [where[number] for number in sorted(where)]


def read_all(
    bootstrap: str, topic: str, isolation: str = "read_committed", timeout_seconds: float = 120
) -> list[Record]:
    """Every record between the topic's start and its end of now, by partition and offset."""
    ends = end_offsets(bootstrap, topic, isolation)
    starts = start_offsets(bootstrap, topic)
    unread = {partition for partition, end in ends.items() if end > starts[partition]}
    records: list[Record] = []
    consumer = _reader(bootstrap, topic, isolation, ends)
    deadline = time.monotonic() + timeout_seconds
    try:
        while unread:
            assert time.monotonic() < deadline, f"{topic} was not read to its end in time: {unread} left"
            for message in consumer.consume(2000, 0.5):
                if message.error() is not None:
                    _raise_unless_eof(message)
                    unread.discard(message.partition())
                elif message.offset() < ends[message.partition()]:
                    records.append(_record(message))
                if message.error() is None and message.offset() >= ends[message.partition()] - 1:
                    unread.discard(message.partition())
    finally:
        consumer.close()
    return sorted(records, key=lambda record: record[:2])


def follow(bootstrap: str, topic: str, isolation: str = "read_committed") -> Iterator[Record | None]:
    """Records from the start as they come, for ever; None whenever there was none for 0.2 s."""
    consumer = _reader(bootstrap, topic, isolation, end_offsets(bootstrap, topic, isolation))
    try:
        while True:
            messages = consumer.consume(1000, 0.2)
            for message in messages:
                if message.error() is None:
                    yield _record(message)
            if not messages:
                yield None
    finally:
        consumer.close()


def end_offsets(bootstrap: str, topic: str, isolation: str = "read_committed") -> dict[int, int]:
    return _offsets(bootstrap, topic, OffsetSpec.latest(), isolation)


def start_offsets(bootstrap: str, topic: str) -> dict[int, int]:
    return _offsets(bootstrap, topic, OffsetSpec.earliest(), "read_uncommitted")


def committed_offsets(bootstrap: str, group: str, topic: str) -> dict[int, int]:
    # The admin client's own call ends the process when the group's coordinator has moved.
    asker = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        places = [TopicPartition(topic, number) for number in _partitions(bootstrap, topic)]
        answers = asker.committed(places, timeout=30)
    finally:
        asker.close()
    return {place.partition: place.offset for place in answers if place.offset >= 0}


def lag(bootstrap: str, group: str, topic: str) -> int:
    committed = committed_offsets(bootstrap, group, topic)
    starts = start_offsets(bootstrap, topic)
    ends = end_offsets(bootstrap, topic)
    return sum(end - committed.get(number, starts[number]) for number, end in ends.items())


def group_members(bootstrap: str, group: str) -> dict[str, set[tuple[str, int]]]:
    client = admin(bootstrap)
    described = client.describe_consumer_groups([group])[group].result()
    return {
        member.member_id: {(place.topic, place.partition) for place in member.assignment.topic_partitions}
        for member in described.members
    }


def create_topic(
    bootstrap: str, topic: str, partitions: int, config: Mapping[str, str] | None = None
) -> None:
    new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
    client = admin(bootstrap)
    client.create_topics([new])[topic].result()
    wait_until(lambda: len(_partitions(bootstrap, topic)) == partitions, what=f"{topic} is there")
    end_offsets(bootstrap, topic)


def delete_topic(bootstrap: str, topic: str) -> None:
    client = admin(bootstrap)
    client.delete_topics([topic])[topic].result()
    wait_until(lambda: not _partitions(bootstrap, topic), what=f"{topic} is gone")


def trim(bootstrap: str, topic: str, before: Mapping[int, int]) -> None:
    """Delete the records of each partition that lie before an offset."""
    places = [TopicPartition(topic, number, offset) for number, offset in before.items()]
    client = admin(bootstrap)
    for future in client.delete_records(places).values():
        future.result()


def wait_until(
    condition: Callable[[], T],
    timeout_seconds: float = 60,
    every_seconds: float = 0.1,
    what: str = "the condition",
) -> T:
    deadline = time.monotonic() + timeout_seconds
    while True:
        if answer := condition():
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {timeout_seconds:g} s"
        time.sleep(every_seconds)


def environment(settings: Settings) -> dict[str, str]:
    """os.environ, with NIFOS_* variables for whatever `settings` has that is not a default."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NIFOS_")}
    defaults = Settings.model_construct()
    for section in type(settings).model_fields:
        value, default = getattr(settings, section), getattr(defaults, section)
        if not hasattr(type(value), "model_fields"):
            if value != default:
                clean[f"NIFOS_{section}".upper()] = str(value)
            continue
        for name in type(value).model_fields:
            item = getattr(value, name)
            if item != getattr(default, name):
                clean[f"NIFOS_{section}__{name}".upper()] = _as_variable(item)
    return clean


def _as_variable(item: Any) -> str:
    if isinstance(item, SecretStr):
        return item.get_secret_value()
    if hasattr(item, "model_dump_json"):
        return item.model_dump_json()
    if isinstance(item, dict | tuple | list):
        return json.dumps(item, default=_plain)
    return str(item)


def _plain(item: Any) -> Any:
    return item.get_secret_value() if isinstance(item, SecretStr) else item.model_dump()


def _reader(bootstrap: str, topic: str, isolation: str, partitions: Iterable[int]) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "tests-that-commit-nothing",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "logger": _silent,
            "fetch.wait.max.ms": 50,
            "fetch.message.max.bytes": 4_000_000,
        }
    )
    # 0 and not "beginning": a trimmed topic is read from where it starts by the reset above.
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    return consumer


def _record(message: Message) -> Record:
    kind, timestamp = message.timestamp()
    headers = tuple((name, value) for name, value in message.headers() or ())
    return Record(
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        headers,
        timestamp if kind else None,
    )


def _raise_unless_eof(message: Message) -> None:
    if message.error().code() != KafkaError._PARTITION_EOF:
        raise KafkaException(message.error())


def _offsets(bootstrap: str, topic: str, spec: OffsetSpec, isolation: str) -> dict[int, int]:
    asked = {TopicPartition(topic, number): spec for number in _partitions(bootstrap, topic)}
    assert asked, f"topic {topic} does not exist"
    client = admin(bootstrap)
    deadline = time.monotonic() + 30
    while True:
        answers = client.list_offsets(asked, isolation_level=ISOLATION[isolation], request_timeout=30)
        try:
            return {place.partition: future.result().offset for place, future in answers.items()}
        except KafkaException:
            # A partition that was just made, or whose broker just started, has no leader for a moment.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _partitions(bootstrap: str, topic: str) -> list[int]:
    found = admin(bootstrap).list_topics(topic, timeout=30).topics[topic]
    return [] if found.error is not None else sorted(found.partitions)
