"""What a group reads of the alerts topic and has not committed. Knows no webhook.

A record stays until `done` is called with an offset behind it, or its partition goes, and then whoever has
the partition next reads it again. So none is lost, whatever happens between.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from nifos_stream import logs
from nifos_stream.alerts.ledger import heed
from nifos_stream.messages import AlertEvent

_ANSWER_SECONDS = 10.0
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """A record of the topic. event: None where it is no alert."""

    partition: int
    offset: int
    event: AlertEvent | None


class Inbox:
    """A member of a group on `topic`. A group that is new begins with what comes from now on.

    on_gone: told, inside `read`, which partitions are another member's now.
    """

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        *,
        one_by_one: bool,
        on_gone: Callable[[frozenset[int]], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """one_by_one: whether the group's protocol gives and takes single partitions."""
        self._consumer = consumer
        self._topic = topic
        self._one_by_one = one_by_one
        self._on_gone = on_gone
        self._now = now
        self._held: bool | None = False
        self.records: list[Received] = []
        """In the order of their offsets within a partition."""
        consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def read(self, most: int, seconds: float) -> None:
        """Gather for so long, or until so many have come, and heed what the group says.

        UserError when Kafka refuses this user, BrokerUnavailable when the client cannot go on.
        """
        deadline = self._now() + seconds
        for _ in range(most):
            # One by one: what `consume` had gathered before a partition went, it hands out afterwards.
            message = self._consumer.poll(max(0.0, deadline - self._now()))
            if message is None:
                return
            if (error := message.error()) is not None:
                heed(error, self._topic)
            else:
                self.records.append(self._received(message))

    def hold(self, hold: bool) -> None:
        """Let nothing more come, or go on; `read` has to be called all the same."""
        if hold is not self._held:
            places = self._consumer.assignment()
            (self._consumer.pause if hold else self._consumer.resume)(places)
            self._held = hold

    def done(self, ends: Mapping[int, int]) -> None:
        """Forget the records before `ends`, offsets by partition, and commit that."""
        self._forget(lambda record: record.offset < ends.get(record.partition, 0))
        try:
            self._consumer.commit(offsets=self._places(ends), asynchronous=False)
        except KafkaException as error:
            # They come once more, to whoever has the partition next.
            _log.warning("inbox.not_committed", topic=self._topic, detail=str(error))

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _received(self, message: Message) -> Received:
        partition, offset = message.partition() or 0, message.offset() or 0
        try:
            event = AlertEvent.model_validate_json(message.value() or b"")
        except ValueError:
            _log.warning("alert.skipped", topic=self._topic, partition=partition, offset=offset)
            event = None
        return Received(partition, offset, event)

    def _assigned(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """Go on where the group stands; where it is new, say at once that it begins here."""
        self._held = None  # One that comes back is still as it was left, and others are not.
        try:
            known = consumer.committed(places, timeout=_ANSWER_SECONDS)
            # Somebody else's trouble is no new group, which would leave out what was not told.
            if unclear := [place.error for place in known if place.error is not None]:
                raise KafkaException(unclear[0])
            new = [place for place in known if place.offset < 0]
            for place in new:
                _, place.offset = consumer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)
            if new:
                consumer.commit(offsets=new, asynchronous=False)
        except KafkaException as error:
            _log.warning("inbox.hindered", topic=self._topic, detail=str(error))
            return
        # By offset: the end that the client would find for itself may lie behind what has come meanwhile.
        begin = [TopicPartition(self._topic, place.partition, place.offset) for place in known]
        (consumer.incremental_assign if self._one_by_one else consumer.assign)(begin)

    def _revoked(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        gone = frozenset(place.partition for place in places)
        self._forget(lambda record: record.partition in gone)
        self._on_gone(gone)

    def _forget(self, which: Callable[[Received], bool]) -> None:
        self.records = [record for record in self.records if not which(record)]

    def _places(self, ends: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition, end) for partition, end in ends.items()]


def ends_of(records: Iterable[Received]) -> dict[int, int]:
    """Where to go on behind these, by partition."""
    return {record.partition: record.offset + 1 for record in records}
