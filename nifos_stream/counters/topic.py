"""What the broker says of a topic right now: its identity, its first offsets, its ends. Knows no Redis."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from nifos_stream import kafka
from nifos_stream.errors import BrokerUnavailable
from nifos_stream.settings import KafkaSettings

_SPECS: Any = OffsetSpec  # It ships no types.
_EARLIEST: OffsetSpec = _SPECS.earliest()
_LATEST: OffsetSpec = _SPECS.latest()


@dataclass(frozen=True, slots=True)
class TopicNow:
    """Identity and number of partitions of a topic as the broker answered."""

    topic_id: str
    partitions: int


class TopicAsker:
    """Asks the broker, each time anew. BrokerUnavailable when it does not answer in `timeout_seconds`.

    After a failure it goes on with a new client: an old one may hold for minutes what it last heard of
    brokers and leaders. Its methods may be called from several threads.
    """

    def __init__(self, settings: KafkaSettings, admin: AdminClient, timeout_seconds: float = 5.0) -> None:
        self._settings = settings
        self._admin = admin
        self._timeout_seconds = timeout_seconds
        self._members: dict[str, Consumer] = {}

    def now(self, topic: str) -> TopicNow | None:
        """The topic as it is, None when it does not exist."""
        with self._asking() as admin:
            wanted = TopicCollection([topic])
            described = admin.describe_topics(wanted, request_timeout=self._timeout_seconds)
            error = _error_of(described[topic])
            if error is not None and error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            answer = _answer_of(described[topic])
            return TopicNow(str(answer.topic_id), len(answer.partitions))

    def begins(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """The first offset of each partition."""
        return self._offsets(topic, partitions, _EARLIEST)

    def ends(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """Where each partition ends for whoever reads committed records only."""
        return self._offsets(topic, partitions, _LATEST)

    def committed(self, group_id: str, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """The offsets that a group committed; partitions without one are left out."""
        places = [TopicPartition(topic, partition) for partition in partitions]
        # A consumer that never joins: the admin client's own call ends the process when the group's
        # coordinator has moved (librdkafka #5040).
        if group_id not in self._members:
            self._members[group_id] = Consumer(kafka.consumer_config(self._settings, group_id))
        try:
            answers = self._members[group_id].committed(places, timeout=self._timeout_seconds)
        except KafkaException as error:
            raise BrokerUnavailable(f"Kafka did not answer: {error.args[0].str()}.") from None
        return {place.partition: place.offset for place in answers if place.offset >= 0}

    def close(self) -> None:
        """End its clients."""
        for member in self._members.values():
            member.close()
        self._members.clear()

    def _offsets(self, topic: str, partitions: Iterable[int], spec: OffsetSpec) -> dict[int, int]:
        asked = {TopicPartition(topic, partition): spec for partition in partitions}
        if not asked:
            return {}
        with self._asking() as admin:
            futures = admin.list_offsets(
                asked,
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=self._timeout_seconds,
            )
            return {place.partition: _answer_of(future).offset for place, future in futures.items()}

    @contextmanager
    def _asking(self) -> Iterator[AdminClient]:
        admin = self._admin
        try:
            yield admin
        except (_Unanswered, KafkaException) as error:
            if self._admin is admin:
                self._admin = AdminClient(
                    kafka.client_config(self._settings, {"reconnect.backoff.max.ms": 2_000})
                )
            raise BrokerUnavailable(f"Kafka did not answer: {error}.") from None


class _Unanswered(Exception):
    """What a future has instead of an answer.

    A future that raises its own error is held by that error's traceback, and with it the client, until some
    thread collects garbage: clients must end in a thread of ours.
    """


def _error_of(future: "Future[Any]") -> KafkaError | None:
    error = future.exception()
    if error is None:
        return None
    return error.args[0] if isinstance(error, KafkaException) else KafkaError(KafkaError.UNKNOWN, str(error))


def _answer_of(future: "Future[Any]") -> Any:
    error = _error_of(future)
    if error is not None:
        raise _Unanswered(error.str())
    return future.result()
