"""Read what a topic holds, from here to there, outside any consumer group. Knows no message."""

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self, cast

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec

from nifos_stream import kafka
from nifos_stream.errors import BrokerUnavailable, Stopped, UserError
from nifos_stream.settings import KafkaSettings

Offsets = Mapping[int, int]
"""An offset by partition."""

_GROUP = "nifos-reader"
"""librdkafka wants a name; nothing is ever committed under it."""
_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call] # confluent-kafka forgot to say.
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call] # The same.
_MOST_MESSAGES = 500
_POLL_SECONDS = 0.05
_GONE = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - librdkafka's public name for it
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - the same
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
}


class TopicReader:
    """Reads committed records by partition and offset, as often as asked; close it.

    patience_seconds: how long Kafka may deliver nothing before the end is reached. told_to_stop: asked while
    it connects and between the messages of `between` and `all`, many times a second.
    UserError when Kafka cannot be reached or the topic is missing; BrokerUnavailable when Kafka stops
    answering later; Stopped when it was told to.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        *,
        patience_seconds: float = 60.0,
        told_to_stop: Callable[[], bool] = lambda: False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topic = topic
        self._patience_seconds = patience_seconds
        self._told_to_stop = told_to_stop
        self._now = now
        self._admin = kafka.connect(settings, told_to_stop=told_to_stop)
        if topic not in (facts := kafka.topic_facts(self._admin, [topic])):
            raise UserError(f"Topic {topic} does not exist; `nifos-stream topics create` makes it.")
        self.partitions = range(facts[topic].partitions)
        self._topic_id = facts[topic].topic_id
        self._consumer = Consumer(kafka.consumer_config(settings, _GROUP, {"fetch.wait.max.ms": 50}))

    def begins(self) -> dict[int, int]:
        """The first offset of each partition."""
        return self._offsets(_EARLIEST, IsolationLevel.READ_COMMITTED)

    def ends(self, *, with_open_transactions: bool = False) -> dict[int, int]:
        """The offset after the last committed record of each partition, as of now.

        with_open_transactions: also what lies behind a transaction that has not ended. Reading up to there
        waits for it, and so misses nothing that was committed before this call.
        """
        uncommitted = IsolationLevel.READ_UNCOMMITTED if with_open_transactions else None
        return self._offsets(_LATEST, uncommitted or IsolationLevel.READ_COMMITTED)

    def between(self, lower: Offsets, upper: Offsets) -> Iterator[Message]:
        """Every record from `lower` up to before `upper`, in order within a partition."""
        unread = {partition for partition in lower if lower[partition] < upper[partition]}
        self._assign({partition: lower[partition] for partition in unread})
        heard = self._now()
        while unread:
            if self._told_to_stop():
                raise Stopped(f"Told to stop before topic {self.topic} was read.")
            messages = self._consumer.consume(_MOST_MESSAGES, _POLL_SECONDS)
            if messages:
                heard = self._now()
            elif self._now() - heard > self._patience_seconds:
                raise BrokerUnavailable(
                    f"Topic {self.topic} could not be read to its end within {self._patience_seconds:g} s:"
                    " the broker is away, or a transaction stays open."
                )
            for message in messages:
                record = self._is_record(message)
                partition, offset = cast("int", message.partition()), message.offset() or 0
                if record and partition in unread and offset < upper[partition]:
                    yield message
                # The last offsets may belong to markers, which are never delivered: what lies behind them,
                # or the end of the partition, tells that all was read.
                if partition in unread and offset >= upper[partition] - record:
                    unread.discard(partition)

    def all(self) -> Iterator[Message]:
        """Every committed record that is there now."""
        return self.between(self.begins(), self.ends())

    def follow(self, start: Offsets) -> Iterator[Message | None]:
        """Records from `start` on as they come, for ever; None whenever there is none for a moment."""
        self._assign(start)
        while True:
            messages = self._consumer.consume(_MOST_MESSAGES, _POLL_SECONDS)
            yield from (message for message in messages if self._is_record(message))
            if not messages:
                yield None

    def is_gone(self) -> bool:
        """Whether the topic was deleted, made anew or not: whoever follows it does not always notice.

        UserError and BrokerUnavailable as of `kafka.topic_facts`.
        """
        facts = kafka.topic_facts(self._admin, [self.topic])
        return self.topic not in facts or facts[self.topic].topic_id != self._topic_id

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _assign(self, offsets: Offsets) -> None:
        self._consumer.assign([TopicPartition(self.topic, p, offset) for p, offset in offsets.items()])

    def _is_record(self, message: Message) -> bool:
        """Whether it is a record; else the end of a partition, or a broker away, which mends itself."""
        error = message.error()
        if error is not None and error.code() in _GONE:
            raise UserError(f"Topic {self.topic} cannot be read: {error.str().rstrip('.')}.")
        return error is None

    def _offsets(self, spec: OffsetSpec, isolation: IsolationLevel) -> dict[int, int]:
        asked = {TopicPartition(self.topic, partition): spec for partition in self.partitions}
        try:
            answers = self._admin.list_offsets(asked, isolation_level=isolation, request_timeout=10.0)
            return {place.partition: answer.result().offset for place, answer in answers.items()}
        except KafkaException as error:
            said = error.args[0].str().rstrip(".")
            raise BrokerUnavailable(
                f"Kafka did not say where topic {self.topic} begins and ends: {said}."
            ) from None
