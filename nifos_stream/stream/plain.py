"""Publish for clusters without transactions: events and dead letters, then offsets. Knows no model."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import TopicPartition

from nifos_stream.kafka import NextStep
from nifos_stream.stream.delivery import Delivery, Undelivered
from nifos_stream.stream.outbox import Outgoing
from nifos_stream.stream.ownership import Lease
from nifos_stream.stream.sink import Interrupted, Parcel, Sink


class PlainSink(Sink):
    """Events and dead letters first, then the offsets: a crash in between publishes them again."""

    def __init__(self, *arguments: Any, commit: Callable[[list[TopicPartition]], None], **more: Any) -> None:
        """commit: commits offsets and waits. KafkaException, or TimeoutError when nobody comes to do it."""
        super().__init__(*arguments, **more)
        self._commit = commit

    def _open(self) -> None:
        self._producer = self._open_producer()

    def _attempt(self, lease: Lease, parcel: Parcel, messages: Mapping[int, Outgoing]) -> None:
        """Publish once.

        1. Produce one message per row.  2. Check every delivery report.  3. Commit the offsets.
        """
        if self._producer is None:
            self._producer = self._open_producer()
        delivery = Delivery(self._producer)
        try:
            delivery.produce(messages, lambda: self._ownership.may_commit(lease))
            delivery.check(self._step_seconds)
        except Undelivered as undelivered:
            raise Interrupted(NextStep.RESTART_PRODUCER, undelivered.error) from None
        if not self._ownership.may_commit(lease):
            raise Interrupted(NextStep.REREAD_BATCH, None)
        self._call(self._commit, self._positions(parcel.next_offsets(lease)))

    def _recover(self, step: NextStep) -> None:
        if step is NextStep.RESTART_PRODUCER:
            self.restarts += 1
            self.close()
