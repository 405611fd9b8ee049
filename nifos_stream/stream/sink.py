"""Publish a batch and the offsets to go on from: both or neither. Knows no model."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from nifos_stream import logs
from nifos_stream.errors import BrokerUnavailable, NifosError, UserError
from nifos_stream.kafka import NextStep, next_step
from nifos_stream.stream.batch import Batch
from nifos_stream.stream.delivery import Delivery, TooLarge, Undelivered
from nifos_stream.stream.outbox import Outgoing
from nifos_stream.stream.ownership import Lease, Ownership

log = logs.get("stream.sink")

_REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "Kafka does not let this user write to a topic: {}.",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "Kafka does not let this user write exactly once: {}.",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "Kafka does not let this user commit offsets: {}.",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "Kafka does not let this user begin transactions: {}.",
    KafkaError.INVALID_TRANSACTION_TIMEOUT: "Kafka allows no such stream.transaction_timeout_seconds: {}.",
    KafkaError._UNSUPPORTED_FEATURE: "Kafka has no transactions here (stream.delivery = at_least_once): {}.",  # noqa: SLF001
}


@dataclass(slots=True)
class Parcel:
    """A batch with the messages made from it, one per row and in the order of its rows."""

    batch: Batch
    messages: list[Outgoing]

    def held(self, lease: Lease) -> dict[int, Outgoing]:
        """The messages that may be published under a lease, by their place in the batch."""
        return {
            place: message
            for place, message in enumerate(self.messages)
            if message.record.partition in lease.partitions
        }

    def next_offsets(self, lease: Lease) -> dict[int, int]:
        """The offsets that are committed under a lease."""
        return {p: offset for p, offset in self.batch.next_offsets.items() if p in lease.partitions}


class Interrupted(Exception):
    """An attempt that came to nothing, or to nobody knows what, and what has to be done next."""

    def __init__(self, step: NextStep, error: KafkaError | None) -> None:
        super().__init__(error.str() if error else "the partitions were given up")
        self.step = step
        self.error = error


@dataclass(frozen=True, slots=True)
class Published:
    """What was committed of a parcel."""

    messages: list[Outgoing]
    next_offsets: Mapping[int, int]
    seconds: float


class Sink:
    """What both ways of delivery share: leases, another attempt, and giving up."""

    def __init__(
        self,
        member: Consumer,
        topic: str,
        ownership: Ownership,
        *,
        open_producer: Callable[[], Producer],
        too_large: Callable[[Outgoing], Outgoing],
        step_seconds: float,
        patience_seconds: float,
        wait: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """topic: the input. step_seconds: for one call. patience_seconds: for all attempts at one parcel."""
        self.restarts = 0
        self._member = member
        self._topic = topic
        self._ownership = ownership
        self._open_producer = open_producer
        self._too_large = too_large
        self._step_seconds = step_seconds
        self._patience_seconds = patience_seconds
        self._wait = wait
        self._now = now
        self._producer: Producer | None = None

    def publish(self, parcel: Parcel) -> Published | None:
        """Publish what is still owned of a parcel; None when nothing of it is.

        BrokerUnavailable when it cannot be published in time; UserError when Kafka refuses it for good.
        """
        give_up_at = self._now() + self._patience_seconds
        pause_seconds = 0.05
        while lease := self._ownership.lend(parcel.batch.claims, self._member.consumer_group_metadata):
            begun_at = self._now()
            messages = parcel.held(lease)
            committed: Mapping[int, int] | None = None
            try:
                self._attempt(lease, parcel, messages)
                committed = parcel.next_offsets(lease)
                return Published(list(messages.values()), committed, self._now() - begun_at)
            except TooLarge as refused:
                self._recover(NextStep.REREAD_BATCH)
                self._turn_into_letters(parcel, refused)
                continue
            except Interrupted as interrupted:
                log.info("batch.interrupted", step=interrupted.step.value, error=_name(interrupted.error))
                self._recover(interrupted.step)
                self._refuse(interrupted.error, give_up_at)
            finally:
                self._ownership.give_back(lease, committed)
            self._wait(pause_seconds)
            pause_seconds = min(2 * pause_seconds, 2.0)
        return None

    def open(self, timeout_seconds: float) -> None:
        """Begin to work, before anything is read. UserError when Kafka refuses, or stays away for so long."""
        give_up_at = self._now() + timeout_seconds
        while True:
            try:
                return self._open()
            except Interrupted as interrupted:
                if self._now() >= give_up_at or (interrupted.error and interrupted.error.code() in _REFUSED):
                    self._refuse(interrupted.error, give_up_at=math.inf)
                    raise UserError(f"Kafka does not begin transactions: {interrupted}.") from None
            self._wait(0.5)

    def close(self) -> None:
        """Let the producer go, with whatever it still holds."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()

    def _open(self) -> None:
        raise NotImplementedError

    def _attempt(self, lease: Lease, parcel: Parcel, messages: Mapping[int, Outgoing]) -> None:
        raise NotImplementedError

    def _recover(self, step: NextStep) -> None:
        raise NotImplementedError

    def _call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call, and call again while the error asks for that; Interrupted says what to do otherwise."""
        give_up_at = self._now() + self._step_seconds
        while True:
            try:
                return call(*arguments)
            except KafkaException as exception:
                error = exception.args[0]
                step = next_step(error)
                if step is not NextStep.RETRY_CALL:
                    raise Interrupted(step, error) from None
                if self._now() >= give_up_at:
                    raise Interrupted(NextStep.RESTART_PRODUCER, error) from None
            self._wait(0.1)

    def _positions(self, next_offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, p, offset) for p, offset in sorted(next_offsets.items())]

    def _turn_into_letters(self, parcel: Parcel, refused: TooLarge) -> None:
        for place in refused.places:
            message = parcel.messages[place]
            if message.reason is not None:
                raise NifosError(
                    f"Topic {message.topic} does not take the dead letter of {message.record.topic}"
                    f" [{message.record.partition}] at offset {message.record.offset}"
                    f" ({len(message.value or b'')} bytes): raise its max.message.bytes."
                )
            parcel.messages[place] = self._too_large(message)
            log.warning(
                "event.refused",
                reason="event_too_large",
                partition=message.record.partition,
                offset=message.record.offset,
            )

    def _refuse(self, error: KafkaError | None, give_up_at: float) -> None:
        if error is not None and error.code() in _REFUSED:
            raise UserError(_REFUSED[error.code()].format(error.str()))
        if self._now() >= give_up_at:
            raise BrokerUnavailable(
                f"Kafka did not take a batch for {self._patience_seconds:g} s: {_name(error)}."
            )


class TransactionalSink(Sink):
    """Events, dead letters and offsets in one transaction."""

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
                log.warning("transaction.unclear", error=_name(interrupted.error))
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
            producer.purge()
            raise
        self._producer = producer
        return committed

    def _is_committed(self, next_offsets: Mapping[int, int]) -> bool:
        """Whether the group stands exactly where these offsets would put it."""
        try:
            answers = self._member.committed(self._positions(next_offsets), timeout=self._step_seconds)
        except KafkaException as exception:
            raise Interrupted(NextStep.RESTART_PRODUCER, exception.args[0]) from None
        return all(answer.offset == next_offsets[answer.partition] for answer in answers)


class PlainSink(Sink):
    """Events and dead letters first, then the offsets: a crash in between publishes them again."""

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

    def _commit(self, positions: list[TopicPartition]) -> None:
        for answer in self._member.commit(offsets=positions, asynchronous=False):
            if answer.error is not None:
                raise KafkaException(answer.error)

    def _recover(self, step: NextStep) -> None:
        if step is NextStep.RESTART_PRODUCER:
            self.restarts += 1
            self.close()


def _name(error: KafkaError | None) -> str:
    return error.name() if error is not None else "partitions given up"
