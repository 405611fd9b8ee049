"""The dead-letter topic as it lies in Kafka: letters, and marks of those sent in again. Sends nothing."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.kafka import connect, consumer_config
from nifos_stream.messages import REDRIVEN_HEADER
from nifos_stream.settings import Settings
from nifos_stream.stream.codec import Headers, Letter, parse_letter

Place = tuple[int, int]
"""Partition and offset in the dead-letter topic."""
Ends = Mapping[int, int]
"""Offset after the last that is read, by partition."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter and where it lies."""

    place: Place
    key: bytes | None
    value: bytes | None
    letter: Letter


@dataclass(frozen=True, slots=True)
class _Found:
    """Any record of the topic."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: Headers


class LetterTopic:
    """Reads the dead-letter topic from its start, as often as asked, without a consumer group's offsets.

    UserError when Kafka cannot be reached or the topic is missing.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        # A dead worker's transaction ends by its timeout, and the broker may look a while later.
        self._patience_seconds = 30.0 + 2 * settings.stream.transaction_timeout_seconds
        self._now = now
        self._name = settings.topics.dead_letters
        self._admin: AdminClient = connect(settings.kafka)
        found = self._admin.list_topics(self._name, timeout=10.0).topics[self._name]
        if found.error is not None:
            raise UserError(f"Topic {self._name} cannot be read: {found.error.str().rstrip('.')}.")
        self._partitions = sorted(found.partitions)

    def ends(self, *, with_open_transactions: bool) -> dict[int, int]:
        """Where each partition ends now.

        with_open_transactions: also what lies behind a transaction that has not ended. Reading up to there
        waits for it, and so misses nothing that was committed before this call.
        """
        isolation = (
            IsolationLevel.READ_UNCOMMITTED if with_open_transactions else IsolationLevel.READ_COMMITTED
        )
        latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(self._name, number): latest for number in self._partitions}
        try:
            answers = self._admin.list_offsets(asked, isolation_level=isolation, request_timeout=10.0)
            return {place.partition: answer.result().offset for place, answer in answers.items()}
        except KafkaException as error:
            raise _unreadable(self._name, error.args[0]) from None

    def marked(self, ends: Ends) -> set[Place]:
        """Places of the letters that were sent in again."""
        marks = (_mark(found) for found in self._found(ends))
        return {mark for mark in marks if mark is not None}

    def letters(self, ends: Ends) -> Iterator[Kept]:
        """Every letter, within a partition in the order of writing; foreign records are left out."""
        for found in self._found(ends):
            letter = parse_letter(found.headers)
            if letter is not None:
                yield Kept(found.place, found.key, found.value, letter)

    def _found(self, ends: Ends) -> Iterator[_Found]:
        consumer = Consumer(
            consumer_config(self._settings.kafka, f"{self._name}-reader", {"fetch.wait.max.ms": 50})
        )
        unread = {number for number, end in ends.items() if end > 0}
        consumer.assign([TopicPartition(self._name, number, OFFSET_BEGINNING) for number in unread])
        try:
            heard = self._now()
            while unread:
                messages: list[Any] = consumer.consume(500, 0.05)  # Its types allow for no partition.
                if messages:
                    heard = self._now()
                elif self._now() - heard > self._patience_seconds:
                    raise BrokerUnavailable(
                        f"Topic {self._name} could not be read to its end within"
                        f" {self._patience_seconds:g} s: the broker is away, or a transaction stays open."
                    )
                for message in messages:
                    number, offset = message.partition(), message.offset()
                    if number not in unread:
                        continue
                    if (error := message.error()) is None and offset < ends[number]:
                        headers = tuple(message.headers() or ())
                        yield _Found((number, offset), message.key(), message.value(), headers)
                    elif error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                        raise _unreadable(self._name, error)
                    # The end of a partition is its own event, at the offset after the last record or mark.
                    if offset >= ends[number] - (error is None):
                        unread.discard(number)
                        consumer.pause([TopicPartition(self._name, number)])
        finally:
            consumer.close()


def _unreadable(topic: str, error: KafkaError) -> BrokerUnavailable:
    return BrokerUnavailable(f"Topic {topic} cannot be read: {error.str().rstrip('.')}.")


def mark_headers(place: Place) -> Headers:
    """Headers of the record that marks the letter at `place` as sent in again; it has no value."""
    return ((REDRIVEN_HEADER, f"{place[0]}:{place[1]}".encode()),)


def _mark(found: _Found) -> Place | None:
    if found.value is not None or [name for name, _ in found.headers] != [REDRIVEN_HEADER]:
        return None
    try:
        partition, offset = (found.headers[0][1] or b"").decode().split(":")
        return int(partition), int(offset)
    except ValueError:
        return None
