"""Send dead letters to the input topic and mark them, in one transaction. Does not know who chose them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from nifos_stream.commands.letters import Kept, mark_headers
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.kafka import NextStep, next_step, producer_config
from nifos_stream.settings import Settings
from nifos_stream.stream.codec import Headers

BATCH_LETTERS = 500

_FENCED = {
    KafkaError._FENCED,  # noqa: SLF001 - librdkafka's public name for it.
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
}
# Among the reports of a failed transaction most say only that they were purged.
_TELLING = {*_FENCED, KafkaError.MSG_SIZE_TOO_LARGE}
# After a refused message librdkafka fails the next transaction too, to get a new epoch by its abort.
_ATTEMPTS = 5
# The broker limits what travels, which is compressed; it, not the client, says what is too large.
_ANY_SIZE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Resent:
    """What to send of a letter."""

    kept: Kept
    key: bytes | None
    value: bytes | None

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")


class _Undelivered(Exception):
    """A delivery report that says no."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(error)
        self.error = error


class TooLarge(Exception):
    """The input topic does not take one of the messages; nothing of the batch was sent."""


class Resender:
    """Sends batches of letters. Its fixed transactional id ends any other redrive of the same topic.

    Where `delivery` is `at_least_once` there is no transaction: a letter that a crash left unmarked is sent
    again, and nothing ends another redrive.
    UserError when Kafka refuses to let it write; BrokerUnavailable when Kafka stays away.
    """

    def __init__(
        self, settings: Settings, *, partitions: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._topics = settings.topics
        self._partitions = partitions
        self._patience_seconds = settings.kafka.retry_timeout_seconds
        self._now = now
        self._exact = settings.stream.delivery == "exactly_once"
        self.batch_letters = BATCH_LETTERS if self._exact else 1
        """Letters to send at once: without transactions, what fails must not have sent its neighbours."""
        extra: dict[str, str | int] = {"message.max.bytes": _ANY_SIZE}
        if self._exact:
            extra["transactional.id"] = f"{self._topics.dead_letters}-redrive"
            extra["transaction.timeout.ms"] = int(settings.stream.transaction_timeout_seconds * 1000)
        self._producer = Producer(producer_config(settings.kafka, extra))
        if self._exact:
            try:
                self._call(self._producer.init_transactions)
            except KafkaException as error:
                said = error.args[0].str().rstrip(".")
                raise UserError(f"Kafka does not let letters be sent in a transaction: {said}.") from None

    def send(self, batch: Sequence[Resent]) -> None:
        """Send a batch and mark its letters, all or nothing.

        TooLarge when a message does not fit the input topic. UserError when another redrive took over.
        BrokerUnavailable when the outcome is not known; the marks then tell the next redrive.
        """
        for attempts_left in reversed(range(_ATTEMPTS)):
            try:
                self._attempt(batch)
            except KafkaException as error:
                self._abort_or_stop(error.args[0], again=attempts_left > 0)
            except _Undelivered as undelivered:
                self._abort_or_stop(undelivered.error, again=attempts_left > 0, undelivered=True)
                if undelivered.error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                    raise TooLarge from None
            else:
                return

    def _attempt(self, batch: Sequence[Resent]) -> None:
        """Send one batch once.

        1. Begin.  2. Produce the messages to the partitions that they came from.  3. Check every delivery
        report.  4. Mark the letters, and check again.  5. Commit.
        """
        if self._exact:
            self._producer.begin_transaction()  # 1
        messages = [
            (
                item.kept.letter.origin.partition % self._partitions,
                item.key,
                item.value,
                item.kept.letter.headers,
            )
            for item in batch
        ]
        self._produce(self._topics.posts, messages)  # 2, 3
        marks = [(item.kept.place[0], None, None, mark_headers(item.kept.place)) for item in batch]
        self._produce(self._topics.dead_letters, marks)  # 4
        if self._exact:
            self._call(self._producer.commit_transaction)  # 5

    def _produce(
        self, topic: str, messages: Sequence[tuple[int, bytes | None, bytes | None, Headers]]
    ) -> None:
        problems: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                problems.append(error)

        for partition, key, value, headers in messages:
            self._producer.produce(
                topic, value=value, key=key, headers=list(headers), partition=partition, on_delivery=delivered
            )
        # Every message has a delivery timeout of its own, so this ends.
        while self._producer.flush(1.0):
            pass
        if problems:
            raise _Undelivered(next((p for p in problems if p.code() in _TELLING), problems[0]))

    def _abort_or_stop(self, error: KafkaError, *, again: bool, undelivered: bool = False) -> None:
        """After an error: return with nothing sent, so that the batch can be sent again, or say why not.

        undelivered: the error is a delivery report's, which does not say what it asks for; where the
        transaction can still be aborted, `abort_transaction` finds out.
        """
        if error.code() in _FENCED:
            raise UserError("Another redrive was started and goes on in place of this one.")
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            again = True
        elif not undelivered and next_step(error) is NextStep.RESTART_PRODUCER:
            again = False
        if not again:
            raise _stopped(error)
        if self._exact:
            try:
                self._call(self._producer.abort_transaction)
            except KafkaException as failure:
                raise _stopped(failure.args[0]) from None

    def _call(self, step: Callable[[float], None]) -> None:
        """Call a transactional step, again while its error asks for that."""
        deadline = self._now() + self._patience_seconds
        while True:
            try:
                step(max(1.0, deadline - self._now()))
            except KafkaException as error:
                if next_step(error.args[0]) is not NextStep.RETRY_CALL or self._now() >= deadline:
                    raise
            else:
                return


def _stopped(error: KafkaError) -> BrokerUnavailable:
    said = error.str().rstrip(".")
    return BrokerUnavailable(
        f"Kafka did not confirm that letters were sent ({said}); start the redrive again: it skips what was."
    )
