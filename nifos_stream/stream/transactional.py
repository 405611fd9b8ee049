"""Publish events, dead letters and offsets in one Kafka transaction: all or nothing. Knows no model."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaException

from nifos_stream import logs
from nifos_stream.kafka import NextStep
from nifos_stream.stream.delivery import Delivery, Undelivered
from nifos_stream.stream.outbox import Outgoing
from nifos_stream.stream.ownership import Lease
from nifos_stream.stream.sink import Interrupted, Parcel, Sink, name_of

log = logs.get("stream.sink")


class TransactionalSink(Sink):
    """Events, dead letters and offsets in one transaction."""

    def __init__(
        self, *arguments: Any, committed_offsets: Callable[[Iterable[int]], dict[int, int]], **more: Any
    ) -> None:
        """committed_offsets: asks for the group's stable offsets. KafkaException when it gets no answer."""
        super().__init__(*arguments, **more)
        self._committed_offsets = committed_offsets

    def _open(self) -> None:
        self._renew({})

    def _attempt(self, lease: Lease, parcel: Parcel, messages: Mapping[int, Outgoing]) -> None:
        """Publish once.

        1. Begin.  2. Produce one message per row.  3. Add the offsets to go on from.
        4. Check every delivery report.  5. Commit, or say what to do next.
        """
        next_offsets = parcel.next_offsets(lease)
        if self._producer is None and self._renew(next_offsets):
            return
        producer = self._producer
        assert producer is not None  # noqa: S101
        # 1. Begin.
        log.debug("transaction.begun", partitions=sorted(lease.partitions), posts=len(messages))
        self._call(producer.begin_transaction)
        delivery = Delivery(producer)
        try:
            # 2. Produce one message per row.
            delivery.produce(messages, lambda: self._ownership.may_commit(lease))
            # 3. Add the offsets to go on from.
            self._check(lease)
            positions = self._positions(next_offsets)
            self._call(
                producer.send_offsets_to_transaction, positions, lease.group_metadata, self._step_seconds
            )
            # 4. Check every delivery report.
            delivery.check(self._step_seconds)
        except Undelivered as undelivered:
            step = NextStep.RESTART_PRODUCER if undelivered.error.fatal() else NextStep.REREAD_BATCH
            raise Interrupted(step, undelivered.error) from None
        # 5. Commit, or say what to do next.
        self._check(lease)
        self._call(producer.commit_transaction, self._step_seconds)

    def _check(self, lease: Lease) -> None:
        if not self._ownership.may_commit(lease):
            raise Interrupted(NextStep.REREAD_BATCH, None)

    def _recover(self, step: NextStep) -> None:
        """Abort what was begun; a producer whose last call is unclear is discarded (librdkafka #5423)."""
        producer = self._producer
        if producer is None:
            return
        if step is not NextStep.RESTART_PRODUCER:
            try:
                self._call(producer.abort_transaction, self._step_seconds)
            except Interrupted as interrupted:
                log.warning("transaction.unclear", error=name_of(interrupted.error))
            else:
                return
        self.restarts += 1
        self.close()

    def _renew(self, next_offsets: Mapping[int, int]) -> bool:
        """Take a new producer, which ends whatever the old one left open; whether that was committed."""
        producer = self._open_producer()
        try:
            self._call(producer.init_transactions, self._step_seconds)
            committed = bool(next_offsets) and self._is_committed(next_offsets)
        except Interrupted:
            self._let_go(producer)
            raise
        self._producer = producer
        return committed

    def _is_committed(self, next_offsets: Mapping[int, int]) -> bool:
        """Whether the group stands exactly where these offsets would put it."""
        try:
            committed = self._committed_offsets(next_offsets.keys())
        except KafkaException as exception:
            raise Interrupted(NextStep.RESTART_PRODUCER, exception.args[0]) from None
        return committed == dict(next_offsets)
