"""The labelled topic, read without a group: its last events, and those that come. Knows no screen."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec

from nifos_stream import kafka
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.settings import Settings

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 30.0
_MOST_MESSAGES = 500
_FIRST_STEP = 64
_STEP_GROWTH = 4
_GROUP = "nifos-tail"
"""librdkafka wants a name; nothing is ever committed under it."""

Offsets = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Event:
    """One record of the labelled topic. timestamp_ms: of the record; -1 when it has none."""

    partition: int
    offset: int
    timestamp_ms: int
    value: bytes


Accepts = Callable[[Event], bool]


class LabelledTopic:
    """Reads committed events by partition and offset; close it.

    UserError when Kafka cannot be reached or the topic is missing; BrokerUnavailable when Kafka stops
    answering while it is read backwards.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.monotonic) -> None:
        self._topic = settings.topics.sentiment
        self._now = now
        self._admin = kafka.connect(settings.kafka)
        if self._topic not in (facts := kafka.topic_facts(self._admin, [self._topic])):
            raise UserError(f"Topic {self._topic} does not exist; `nifos-stream topics create` makes it.")
        self._partitions = range(facts[self._topic].partitions)
        self.starts = self._offsets(OffsetSpec.earliest())  # type: ignore[no-untyped-call] # confluent-kafka forgot to say.
        self.ends = self._offsets(OffsetSpec.latest())  # type: ignore[no-untyped-call] # The same.
        """Offset after the last committed event, by partition, as of now."""
        self._consumer = Consumer(kafka.consumer_config(settings.kafka, _GROUP))

    def last(self, count: int, accepts: Accepts, *, most_records: int = 200_000) -> tuple[list[Event], bool]:
        """The last `count` events that are accepted, oldest first; and whether reading back went far enough.

        Reads backwards in growing steps, at most `most_records` in all.
        """
        found: dict[int, list[Event]] = {partition: [] for partition in self._partitions}
        upper, step, read = dict(self.ends), max(_FIRST_STEP, 2 * count), 0
        while wanting := [p for p in upper if upper[p] > self.starts[p] and len(found[p]) < count]:
            if read >= most_records:
                break
            lower = {p: max(self.starts[p], upper[p] - step) for p in wanting}
            older: dict[int, deque[Event]] = {p: deque(maxlen=count) for p in wanting}
            for event in self.between(lower, {p: upper[p] for p in wanting}):
                read += 1
                if accepts(event):
                    older[event.partition].append(event)
            for p in wanting:
                found[p] = [*older[p], *found[p]][-count:]
            upper |= lower
            step *= _STEP_GROWTH
        by_time = sorted(
            (event for events in found.values() for event in events),
            key=lambda event: (event.timestamp_ms, event.partition, event.offset),
        )
        newest = by_time[max(0, len(by_time) - count) :]
        return newest, not wanting or len(newest) == count

    def between(self, lower: Offsets, upper: Offsets) -> Iterator[Event]:
        """Every event from `lower` up to before `upper`, in order within a partition."""
        left = {partition for partition in lower if lower[partition] < upper[partition]}
        self._consumer.assign([TopicPartition(self._topic, p, lower[p]) for p in left])
        deadline = self._now() + _PATIENCE_SECONDS
        while left:
            for message in self._consumer.consume(_MOST_MESSAGES, _POLL_SECONDS):
                event = self._event(message)
                if event is not None and event.offset < upper[event.partition]:
                    yield event
                    deadline = self._now() + _PATIENCE_SECONDS
                # The last offsets may belong to markers, which are never delivered: what lies behind them, or
                # the end of the partition, tells that all was read.
                if _is_end(message) or (event is not None and event.offset >= upper[event.partition] - 1):
                    left.discard(cast("int", message.partition()))
            if self._now() > deadline:
                raise BrokerUnavailable("Kafka stopped answering while the labelled topic was read.")

    def follow(self, start: Offsets) -> Iterator[Event | None]:
        """Events from `start` on as they come, for ever; None whenever there is none for a moment."""
        self._consumer.assign([TopicPartition(self._topic, p, offset) for p, offset in start.items()])
        while True:
            messages = self._consumer.consume(_MOST_MESSAGES, _POLL_SECONDS)
            yield from (event for message in messages if (event := self._event(message)) is not None)
            if not messages:
                yield None

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _event(self, message: Message) -> Event | None:
        error = message.error()
        if error is not None and error.code() in _GONE:
            raise UserError(f"Topic {self._topic} cannot be read: {error.str().rstrip('.')}.")
        if error is not None:
            # The end of a partition, or a broker away: librdkafka goes on by itself.
            return None
        place = cast("int", message.partition()), cast("int", message.offset())
        return Event(*place, message.timestamp()[1], message.value() or b"")

    def _offsets(self, spec: OffsetSpec) -> dict[int, int]:
        asked = {TopicPartition(self._topic, partition): spec for partition in self._partitions}
        try:
            answers = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=10.0
            )
            return {place.partition: answer.result().offset for place, answer in answers.items()}
        except KafkaException as error:
            raise BrokerUnavailable(
                f"Kafka did not say where topic {self._topic} ends: {error.args[0].str().rstrip('.')}."
            ) from None


_GONE = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - librdkafka's public name for it
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - the same
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
}


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - the same
