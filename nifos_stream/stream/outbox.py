"""Address rows: a labelled event for each post that was read, a dead letter for the rest. Knows no client."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nifos_stream.errors import Reason
from nifos_stream.messages import ModelRef, Post
from nifos_stream.model.reading import Reading, Unread
from nifos_stream.stream.batch import Batch, Rejected
from nifos_stream.stream.codec import Record, encode, letter_headers

_NO_HEADERS: list[tuple[str, bytes | None]] = []


@dataclass(frozen=True, slots=True)
class Destination:
    """A topic to write to, and how many partitions it has."""

    topic: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to produce, and the record that it was made from."""

    record: Record
    topic: str
    partition: int
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    label: str | None
    """Of a labelled event."""
    reason: Reason | None
    """Of a dead letter."""


class Outbox:
    """Makes messages of rows; a message goes to the partition with the number of its input partition."""

    def __init__(
        self,
        *,
        events: Destination,
        letters: Destination,
        model: ModelRef,
        version: str,
        matched_keywords: Callable[[Post], Sequence[str]],
        utcnow: Callable[[], dt.datetime],
    ) -> None:
        self._events = events
        self._letters = letters
        self._model = model
        self._version = version
        self._matched_keywords = matched_keywords
        self._utcnow = utcnow

    def address(self, batch: Batch, readings: Sequence[Reading | Unread]) -> list[Outgoing]:
        """One message per row, in order. readings: one per row that holds a post."""
        labelled_at = self._utcnow()
        model, events, matched = self._model, self._events, self._matched_keywords
        outgoing: list[Outgoing] = []
        read = iter(readings)
        for row in batch.rows:
            if isinstance(row, Rejected):
                outgoing.append(self.letter(row.record, row.reason, row.detail))
                continue
            reading = next(read)
            record = row.record
            if isinstance(reading, Unread):
                outgoing.append(self.letter(record, reading.reason, reading.detail))
                continue
            value = encode(
                row, reading, model=model, labelled_at=labelled_at, matched_keywords=matched(row.post)
            )
            partition = record.partition % events.partitions
            headers = list(record.headers) if record.headers else _NO_HEADERS
            outgoing.append(
                Outgoing(record, events.topic, partition, value, headers, reading.label.value, None)
            )
        return outgoing

    def letter(self, record: Record, reason: Reason, detail: str) -> Outgoing:
        """The dead letter of a record."""
        headers = letter_headers(
            record, reason.value, detail, failed_at=self._utcnow(), version=self._version
        )
        partition = record.partition % self._letters.partitions
        return Outgoing(record, self._letters.topic, partition, record.value, headers, None, reason)

    def too_large(self, outgoing: Outgoing) -> Outgoing:
        """The dead letter of an event that its topic does not take."""
        detail = f"The labelled event is larger than topic {self._events.topic} takes."
        return self.letter(outgoing.record, Reason.EVENT_TOO_LARGE, detail)
