"""Hand messages to a producer and hold it to its reports. Knows no transaction."""

from collections.abc import Callable, Mapping
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Producer

from nifos_stream.stream.outbox import Outgoing

_POLL_EVERY = 500


class TooLarge(Exception):
    """A message that its topic does not take, by its place in the batch."""

    def __init__(self, place: int) -> None:
        super().__init__(f"message {place} is too large")
        self.place = place


class Undelivered(Exception):
    """A message was not delivered, for another reason than its size."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(error.str())
        self.error = error


class Delivery:
    """The messages of one attempt, and what became of each."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._messages: Mapping[int, Outgoing] = {}
        self._unreported = 0
        self._failed: list[tuple[int, KafkaError]] = []

    def produce(self, messages: Mapping[int, Outgoing], may_wait: Callable[[], bool]) -> None:
        """Hand over all messages, by their place in the batch.

        may_wait: whether to wait for room in a full queue. TooLarge or Undelivered when one is refused.
        """
        self._messages = messages
        produce, report, poll = self._producer.produce, self._report, self._producer.poll
        for count, (place, message) in enumerate(messages.items(), start=1):
            while True:
                try:
                    produce(
                        message.topic,
                        value=message.value,
                        key=message.record.key,
                        partition=message.partition,
                        headers=message.headers or None,  # type: ignore[arg-type]  # list is invariant
                        on_delivery=partial(report, place),
                    )
                except BufferError:
                    if not may_wait():
                        raise Undelivered(KafkaError(KafkaError._QUEUE_FULL)) from None  # noqa: SLF001
                    poll(0.1)
                except KafkaException as error:
                    self._failed.append((place, error.args[0]))
                    self._raise_failed()
                else:
                    break
            self._unreported += 1
            if count % _POLL_EVERY == 0:
                poll(0)

    def check(self, timeout_seconds: float) -> None:
        """Wait for every report. TooLarge or Undelivered unless each says that its message is there."""
        self._producer.flush(timeout_seconds)
        if self._failed:
            self._raise_failed()
        if self._unreported:
            raise Undelivered(KafkaError(KafkaError._MSG_TIMED_OUT))  # noqa: SLF001

    def _report(self, place: int, error: KafkaError | None, _message: object) -> None:
        self._unreported -= 1
        if error is not None:
            self._failed.append((place, error))

    def _raise_failed(self) -> None:
        large = [place for place, error in self._failed if error.code() == KafkaError.MSG_SIZE_TOO_LARGE]
        if large:
            # The broker refuses what travelled together; its largest message is refused whatever it is with.
            raise TooLarge(max(large, key=lambda place: len(self._messages[place].value or b"")))
        raise Undelivered(self._failed[0][1])
