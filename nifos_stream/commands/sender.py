"""Sends posts to the input topic and learns what became of each. Knows no file and no screen."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from nifos_stream import kafka
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.settings import Settings

_FLUSH_SLICE_SECONDS = 0.2
_NOT_PERMITTED = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
_QUEUE = {"queue.buffering.max.kbytes": 65_536, "queue.buffering.max.messages": 50_000}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post stands: the name of its file, and its line, row or element there."""

    file: str
    unit: str
    line: int


OnRefused = Callable[[Place, str, bytes], None]
"""Told of a post that Kafka did not take: where it stands, why, and its value."""


class Sender(Protocol):
    """Takes posts. accepted: how many are safe so far."""

    accepted: int

    def send(self, place: Place, key: bytes | None, value: bytes) -> None:
        """Send one post; waits while too many are under way. BrokerUnavailable when Kafka stays away."""

    def flush(self, timeout_seconds: float | None = None) -> int:
        """Wait until all are safe or refused, at most so long; how many are not. BrokerUnavailable alike."""


class OpenSender(Protocol):
    """Makes a sender; KafkaSender is one."""

    def __call__(self, settings: Settings, on_refused: OnRefused, *, per_second: float | None) -> Sender:
        """See KafkaSender."""


class CountingSender:
    """Sends nothing: every post is accepted."""

    def __init__(self) -> None:
        self.accepted = 0

    def send(self, place: Place, key: bytes | None, value: bytes) -> None:  # noqa: ARG002 - nothing is sent
        """Count the post."""
        self.accepted += 1

    def flush(self, timeout_seconds: float | None = None) -> int:  # noqa: ARG002 - nothing is under way
        """Nothing is left."""
        return 0


class KafkaSender:
    """Sends posts in order, each once, and counts those that all replicas have.

    UserError when Kafka cannot be reached, the topic is missing, or the settings are wrong.
    per_second: most posts a second; None sends as fast as Kafka takes them.
    """

    def __init__(
        self,
        settings: Settings,
        on_refused: OnRefused,
        *,
        per_second: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.accepted = 0
        self._topic = settings.topics.posts
        self._max_bytes = _topic_takes(settings, self._topic)
        self._on_refused = on_refused
        self._outage: KafkaError | None = None
        self._producer = Producer(_config(settings, self._max_bytes))
        self._pause_seconds = 1 / per_second if per_second else 0.0
        self._now = now
        self._next_at = now()

    def send(self, place: Place, key: bytes | None, value: bytes) -> None:
        """Hand one post to the producer; its report comes later, while others are sent."""
        self._wait_for_turn()
        while True:
            self._raise_outage()
            try:
                self._producer.produce(self._topic, value, key, on_delivery=self._report(place, value))
            except BufferError:
                self._producer.poll(0.1)
                continue
            except KafkaException as error:
                self._refused(place, error.args[0], value)
            self._producer.poll(0)
            return

    def flush(self, timeout_seconds: float | None = None) -> int:
        """Wait for the reports of all posts that are under way."""
        deadline = None if timeout_seconds is None else self._now() + timeout_seconds
        # In slices, so that Ctrl-C is heard.
        while (left := self._producer.flush(_FLUSH_SLICE_SECONDS)) and (
            deadline is None or self._now() < deadline
        ):
            self._raise_outage()
        self._raise_outage()
        return int(left)

    def _wait_for_turn(self) -> None:
        if self._pause_seconds:
            while (wait_seconds := self._next_at - self._now()) > 0:
                self._producer.poll(min(wait_seconds, _FLUSH_SLICE_SECONDS))
            # After a stall the rate is kept from now on; what was missed is not made up for in a burst.
            self._next_at = max(self._next_at, self._now() - 1) + self._pause_seconds

    def _report(self, place: Place, value: bytes) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, message: Message) -> None:  # noqa: ARG001 - Kafka's signature
            if error is None:
                self.accepted += 1
            else:
                self._refused(place, error, value)

        return report

    def _refused(self, place: Place, error: KafkaError, value: bytes) -> None:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            reason = f"is {len(value):,} bytes, and the topic takes messages of {self._max_bytes:,}"
        else:
            reason = f"was not taken by Kafka: {error.str()}"
            self._outage = self._outage or error
        self._on_refused(place, reason, value)

    def _raise_outage(self) -> None:
        if self._outage is None:
            return
        if self._outage.code() in _NOT_PERMITTED:
            raise UserError(f"Writing to topic {self._topic} is not permitted.")
        raise BrokerUnavailable(f"Kafka stopped taking posts: {self._outage.str().rstrip('.')}.")


def _topic_takes(settings: Settings, topic: str) -> int:
    """Largest message of the topic in bytes. UserError when it is missing or Kafka does not answer."""
    facts = kafka.topic_facts(kafka.connect(settings.kafka), [topic])
    if topic not in facts:
        raise UserError(f"Topic {topic} does not exist; `nifos-stream topics create` makes it.")
    return facts[topic].max_message_bytes


def _config(settings: Settings, max_bytes: int) -> dict[str, object]:
    chosen = settings.kafka.properties | settings.kafka.producer_properties
    patience_ms = int(settings.kafka.retry_timeout_seconds * 1000)
    usual = {**_QUEUE, "message.timeout.ms": patience_ms, "message.max.bytes": max(1000, max_bytes)}
    return kafka.producer_config(
        settings.kafka, {name: value for name, value in usual.items() if name not in chosen}
    )
