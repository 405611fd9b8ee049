"""The labelled topic, read without a group: its last events, and those that come. Knows no screen."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from confluent_kafka import Message

from nifos_stream.settings import Settings
from nifos_stream.topic import Offsets, TopicReader

_FIRST_STEP = 64
_STEP_GROWTH = 4


@dataclass(frozen=True, slots=True)
class Event:
    """One record of the labelled topic. timestamp_ms: of the record; -1 when it has none."""

    partition: int
    offset: int
    timestamp_ms: int
    value: bytes


Accepts = Callable[[Event], bool]


class LabelledTopic:
    """Reads committed events by partition and offset; close it. Raises what TopicReader raises."""

    def __init__(self, settings: Settings) -> None:
        self._reader = TopicReader(settings.kafka, settings.topics.sentiment)
        self.starts = self._reader.begins()
        self.ends = self._reader.ends()
        """Offset after the last committed event, by partition, as of now."""

    def last(self, count: int, accepts: Accepts, *, most_records: int = 200_000) -> tuple[list[Event], bool]:
        """The last `count` events that are accepted, oldest first; and whether reading back went far enough.

        Reads backwards in growing steps, at most `most_records` in all.
        """
        found: dict[int, list[Event]] = {partition: [] for partition in self._reader.partitions}
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
        return map(_event, self._reader.between(lower, upper))

    def follow(self, start: Offsets) -> Iterator[Event | None]:
        """Events from `start` on as they come, for ever; None whenever there is none for a moment."""
        return (None if message is None else _event(message) for message in self._reader.follow(start))

    def close(self) -> None:
        """Leave."""
        self._reader.close()


def _event(message: Message) -> Event:
    place = cast("int", message.partition()), cast("int", message.offset())
    return Event(*place, message.timestamp()[1], message.value() or b"")
