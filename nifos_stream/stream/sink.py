"""Publish a batch and the offsets to go on from, in one of two ways of delivery. Knows no model."""

import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from nifos_stream import logs
from nifos_stream.errors import BrokerUnavailable, NifosError, UserError
from nifos_stream.kafka import NextStep, next_step
from nifos_stream.stream.batch import Batch
from nifos_stream.stream.bounded import Bounded
from nifos_stream.stream.delivery import TooLarge
from nifos_stream.stream.outbox import Outgoing
from nifos_stream.stream.ownership import Lease, Ownership

log = logs.get("stream.sink")

_GRACE_SECONDS = 5.0

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


class Sink(ABC):
    """What both ways of delivery share: leases, another attempt, and giving up."""

    def __init__(
        self,
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
        self._topic = topic
        self._ownership = ownership
        self._open_producer = open_producer
        self._too_large = too_large
        self._step_seconds = step_seconds
        self._patience_seconds = patience_seconds
        self._wait = wait
        self._now = now
        self._bounded = Bounded()
        self._producer: Producer | None = None

    def publish(self, parcel: Parcel) -> Published | None:
        """Publish what is still owned of a parcel; None when nothing of it is.

        BrokerUnavailable when it cannot be published in time; UserError when Kafka refuses it for good.
        """
        give_up_at = self._now() + self._patience_seconds
        pause_seconds = 0.05
        while lease := self._ownership.lend(parcel.batch.claims):
            begun_at = self._now()
            messages = parcel.held(lease)
            committed: Mapping[int, int] | None = None
            try:
                self._attempt(lease, parcel, messages)
                committed = parcel.next_offsets(lease)
                return Published(list(messages.values()), committed, self._now() - begun_at)
            except TooLarge as refused:
                self._recover(NextStep.REREAD_BATCH)
                self._turn_into_letter(parcel, refused.place)
                continue
            except Interrupted as interrupted:
                log.info("batch.interrupted", step=interrupted.step.value, error=name_of(interrupted.error))
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
            self._let_go(producer)

    @abstractmethod
    def _open(self) -> None:
        """Take a first producer."""

    @abstractmethod
    def _attempt(self, lease: Lease, parcel: Parcel, messages: Mapping[int, Outgoing]) -> None:
        """Publish once. TooLarge, or Interrupted with what has to be done next."""

    @abstractmethod
    def _recover(self, step: NextStep) -> None:
        """Do what has to be done after an attempt that failed."""

    def _call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call, and call again while the error asks for that; Interrupted says what to do otherwise."""
        give_up_at = self._now() + self._step_seconds
        while True:
            try:
                return self._bounded.call(lambda: call(*arguments), self._step_seconds + _GRACE_SECONDS)
            except TimeoutError:
                # librdkafka #5456: some calls ignore their timeout, and hang when a coordinator is lost.
                timed_out = KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001 - its public name
                raise Interrupted(NextStep.RESTART_PRODUCER, timed_out) from None
            except KafkaException as exception:
                error = exception.args[0]
                step = next_step(error)
                if step is not NextStep.RETRY_CALL:
                    raise Interrupted(step, error) from None
                if self._now() >= give_up_at:
                    raise Interrupted(NextStep.RESTART_PRODUCER, error) from None
            self._wait(0.1)

    def _let_go(self, producer: Producer) -> None:
        """Discard a producer; a call that hangs in it, and its destruction, are nobody's business here."""
        threading.Thread(target=producer.purge, name="discard", daemon=True).start()

    def _positions(self, next_offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, p, offset) for p, offset in sorted(next_offsets.items())]

    def _turn_into_letter(self, parcel: Parcel, place: int) -> None:
        message = parcel.messages[place]
        record = message.record
        if message.reason is not None:
            raise NifosError(
                f"Topic {message.topic} does not take the dead letter of {record.topic}"
                f" [{record.partition}] at offset {record.offset} ({len(message.value or b'')} bytes):"
                " raise its max.message.bytes."
            )
        parcel.messages[place] = self._too_large(message)
        log.warning("event.refused", partition=record.partition, offset=record.offset)

    def _refuse(self, error: KafkaError | None, give_up_at: float) -> None:
        if error is not None and error.code() in _REFUSED:
            raise UserError(_REFUSED[error.code()].format(error.str()))
        if self._now() >= give_up_at:
            raise BrokerUnavailable(
                f"Kafka did not take a batch for {self._patience_seconds:g} s: {name_of(error)}."
            )


def name_of(error: KafkaError | None) -> str:
    """What stopped an attempt, for a log."""
    return error.name() if error is not None else "partitions given up"
