"""The dead-letter topic as it lies in Kafka: letters, and marks of those sent in again. Sends nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import cast

from confluent_kafka import Message

from nifos_stream.kafka import headers_of
from nifos_stream.messages import REDRIVEN_HEADER
from nifos_stream.settings import Settings
from nifos_stream.stream.codec import Headers, Letter, parse_letter
from nifos_stream.topic import Offsets, TopicReader

Place = tuple[int, int]
"""Partition and offset in the dead-letter topic."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter and where it lies."""

    place: Place
    key: bytes | None
    value: bytes | None
    letter: Letter


class LetterTopic:
    """Reads the dead-letter topic from its start, as often as asked; close it. Raises as TopicReader does."""

    def __init__(self, settings: Settings) -> None:
        # A dead worker's transaction ends by its timeout, and the broker may look a while later.
        patience_seconds = 30.0 + 2 * settings.stream.transaction_timeout_seconds
        self._reader = TopicReader(
            settings.kafka, settings.topics.dead_letters, patience_seconds=patience_seconds
        )

    def ends(self, *, with_open_transactions: bool) -> dict[int, int]:
        """Where each partition ends now; see TopicReader.ends."""
        return self._reader.ends(with_open_transactions=with_open_transactions)

    def marked(self, ends: Offsets) -> set[Place]:
        """Places of the letters that were sent in again."""
        marks = (_mark(message) for message in self._reader.between(self._reader.begins(), ends))
        return {mark for mark in marks if mark is not None}

    def letters(self, ends: Offsets) -> Iterator[Kept]:
        """Every letter in the order of the topic: by partition, then offset. Foreign records are left out."""
        begins = self._reader.begins()
        for message in chain.from_iterable(
            self._reader.between({partition: begins[partition]}, ends) for partition in sorted(begins)
        ):
            letter = parse_letter(_headers(message))
            if letter is not None:
                place = cast("Place", (message.partition(), message.offset()))
                yield Kept(place, message.key(), message.value(), letter)

    def close(self) -> None:
        """Leave."""
        self._reader.close()


def mark_headers(place: Place) -> Headers:
    """Headers of the record that marks the letter at `place` as sent in again; it has no value."""
    return ((REDRIVEN_HEADER, f"{place[0]}:{place[1]}".encode()),)


def _headers(message: Message) -> Headers:
    return headers_of(message) or ()


def _mark(message: Message) -> Place | None:
    headers = _headers(message)
    if message.value() is not None or [name for name, _ in headers] != [REDRIVEN_HEADER]:
        return None
    try:
        partition, offset = (headers[0][1] or b"").decode().split(":")
        return int(partition), int(offset)
    except ValueError:
        return None
