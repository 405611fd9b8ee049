"""The labelled topic as it is read, partition by partition. Knows no Redis, and no meaning of an event.

A partition is read only after it was told where to begin (`begin_at`): whatever the client still holds of an
earlier assignment, or of before a seek, is dropped.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from nifos_stream import kafka, logs
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.settings import Settings

_log = logs.get(__name__)
_QUICK = {
    "fetch.error.backoff.ms": 100,
    "fetch.queue.backoff.ms": 20,
    "fetch.wait.max.ms": 250,
    "heartbeat.interval.ms": 2_000,
    "queued.max.messages.kbytes": 32_768,
    "reconnect.backoff.max.ms": 2_000,
    "session.timeout.ms": 10_000,
    "topic.metadata.refresh.interval.ms": 10_000,
}
"""Properties, unless set: bounded memory, and no broker, new topic or killed worker is noticed late."""
_CLASSIC_ONLY = {"heartbeat.interval.ms", "session.timeout.ms"}


@dataclass(slots=True)
class Slice:
    """What was read of one partition, in offset order.

    end: the offset to go on from. ended: that is the topic's end for now.
    """

    partition: int
    end: int
    values: list[bytes | None] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    ended: bool = False


def consumer(settings: Settings, group_id: str) -> Consumer:
    """A consumer that says when a position is out of the topic's range, instead of jumping. UserError."""
    return Consumer(consumer_properties(settings, group_id))


def consumer_properties(settings: Settings, group_id: str) -> dict[str, Any]:
    """Of a member whose partitions move soon after it dies; what the settings name wins."""
    given = {**settings.kafka.properties, **settings.kafka.consumer_properties}
    left_out = given.keys() | (_CLASSIC_ONLY if given.get("group.protocol") == "consumer" else set())
    quick = {name: value for name, value in _QUICK.items() if name not in left_out}
    return kafka.consumer_config(settings.kafka, group_id, {**quick, "auto.offset.reset": "error"})


def moves_one_by_one(settings: Settings) -> bool:
    """Whether the group's protocol takes and gives single partitions, as the properties ask."""
    properties = {**settings.kafka.properties, **settings.kafka.consumer_properties}
    strategy = str(properties.get("partition.assignment.strategy", ""))
    return properties.get("group.protocol") == "consumer" or "cooperative" in strategy


class Feed:
    """Reads one topic: the partitions that the group gives, or exactly `partitions`."""

    def __init__(
        self,
        client: Consumer,
        topic: str,
        partitions: Sequence[int] | None = None,
        *,
        one_by_one: bool = False,
    ) -> None:
        """one_by_one: see `moves_one_by_one`."""
        self._client = client
        self._topic = topic
        self._grouped = partitions is None
        self._one_by_one = one_by_one and partitions is None
        self._lock = threading.Lock()
        self._owned: set[int] = set()
        self._next: dict[int, int] = {}
        self._at_end: set[int] = set()
        self._refusals = 0
        self.joined = False
        if partitions is None:
            client.subscribe(
                [topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
            )
        else:
            self._assigned(client, [TopicPartition(topic, partition) for partition in partitions])

    @property
    def owned(self) -> frozenset[int]:
        """The partitions to read; from any thread."""
        with self._lock:
            return frozenset(self._owned)

    @property
    def waiting(self) -> frozenset[int]:
        """Owned partitions that were not told where to begin."""
        return self.owned - self._next.keys()

    @property
    def at_end(self) -> bool:
        """Whether every owned partition was read to its end."""
        return self.joined and self.owned <= self._at_end

    def begin_at(self, partition: int, offset: int) -> bool:
        """Read `partition` from `offset` on; False when it cannot be yet, or is not owned any more.

        A partition whose topic was deleted and created again cannot be sought for good; it is assigned anew
        then, and so, where the protocol knows no single partitions, are all, to be told where to begin again.
        """
        place = TopicPartition(self._topic, partition, offset)
        try:
            self._client.seek(place)
            self._client.resume([place])
        except KafkaException as error:
            _log.debug("partition.not_ready", partition=partition, error=str(error))
            self._refusals += 1
            if self._refusals >= _MOST_REFUSALS:
                self._assign_anew(partition)
            return False
        self._refusals = 0
        self._next[partition] = offset
        return True

    def halt(self, partition: int) -> None:
        """Read no more of `partition` until it is told where to begin."""
        self._next.pop(partition, None)
        self._at_end.discard(partition)
        if partition in self.owned:
            try:
                self._client.pause([TopicPartition(self._topic, partition)])
            except KafkaException as error:
                _log.debug("partition.not_paused", partition=partition, error=str(error))

    def read(self, most: int, timeout_seconds: float) -> list[Slice]:
        """Up to `most` records, waiting so long for them; one slice for each partition that moved on.

        UserError when Kafka refuses this user, BrokerUnavailable when the client cannot go on.
        """
        started = dict(self._next)
        messages = self._client.consume(most, timeout_seconds)
        # A partition that changed hands within that very call stands in `started` but not in `_next`.
        slices = {p: Slice(p, end) for p, end in started.items() if self._next.get(p) == end}
        for message in messages:
            part, error = slices.get(message.partition()), message.error()  # type: ignore[arg-type]
            offset: int = message.offset()  # type: ignore[assignment] # only errors may lack one
            if error is None and part is not None and offset >= part.end:
                part.values.append(message.value())
                part.offsets.append(offset)
                part.end = offset + 1
                part.ended = False
            elif error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                if part is not None and offset >= part.end:
                    part.end, part.ended = offset, True
            elif error is not None and error.code() not in _OUT_OF_RANGE:
                self._heed(error)
            elif part is not None:
                del slices[part.partition]
                self.halt(part.partition)
        return [part for part in slices.values() if self._move_on(part)]

    def _move_on(self, part: Slice) -> bool:
        """Remember where to go on; False when that is where it was."""
        moved = part.end > self._next[part.partition]
        self._next[part.partition] = part.end
        if part.ended:
            self._at_end.add(part.partition)
        elif moved:
            self._at_end.discard(part.partition)
        return moved

    def _heed(self, error: KafkaError) -> None:
        if error.code() in _REFUSED:
            raise UserError(_REFUSED[error.code()].format(self._topic))
        if error.fatal():
            raise BrokerUnavailable(f"The Kafka consumer cannot go on: {error.str()}.")
        _log.warning("feed.hindered", error=error.name(), detail=error.str())

    def commit(self, positions: dict[int, int]) -> None:
        """Show the group where counting stands; what is lost of it does no harm."""
        places = [
            TopicPartition(self._topic, partition, offset)
            for partition, offset in positions.items()
            if partition in self.owned
        ]
        if self._grouped and places:
            try:
                self._client.commit(offsets=places, asynchronous=True)
            except KafkaException as error:
                _log.debug("group.not_committed", error=str(error))

    def close(self) -> None:
        """Leave the group."""
        self._client.close()

    def _assign_anew(self, partition: int) -> None:
        places = [TopicPartition(self._topic, partition)]
        if self._one_by_one:
            self._client.incremental_unassign(places)
        else:
            places = [TopicPartition(self._topic, owned) for owned in self.owned]
        self._assigned(self._client, places)

    def _assigned(self, client: Consumer, places: list[TopicPartition]) -> None:
        partitions = {place.partition for place in places}
        with self._lock:
            self._owned = self._owned | partitions if self._one_by_one else partitions
        self._forget(partitions)
        self._refusals = 0
        self.joined = True
        begin = [TopicPartition(self._topic, partition, OFFSET_BEGINNING) for partition in partitions]
        if self._one_by_one:
            client.incremental_assign(begin)
        else:
            client.assign(begin)
        client.pause(begin)

    def _revoked(self, client: Consumer, places: list[TopicPartition]) -> None:
        partitions = {place.partition for place in places}
        with self._lock:
            self._owned = self._owned - partitions
        self._forget(partitions)
        if self._one_by_one:
            client.incremental_unassign(places)
        else:
            client.unassign()

    def _forget(self, partitions: set[int]) -> None:
        for partition in partitions:
            self._next.pop(partition, None)
            self._at_end.discard(partition)


_MOST_REFUSALS = 20
_OUT_OF_RANGE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # noqa: SLF001
_REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "Kafka does not let this user read topic {}.",
    KafkaError.GROUP_AUTHORIZATION_FAILED: (
        "Kafka does not let this user join the consumer group of the counts (NIFOS_COUNTERS__GROUP_ID)."
    ),
}
