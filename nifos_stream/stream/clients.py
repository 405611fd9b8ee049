"""The stage's clients of Kafka, and the properties that they rest on. Knows no row and no batch."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from nifos_stream import kafka
from nifos_stream.errors import UserError
from nifos_stream.settings import KafkaSettings, Settings

# A killed worker's partitions move once its session has ended. In the newer protocol the broker says when
# that is (45 s unless changed there), so the classic one is the default. A pause throws away what was
# fetched ahead, so that is kept small.
_CONSUMER: dict[str, Any] = {
    "session.timeout.ms": 10_000,
    "heartbeat.interval.ms": 2_000,
    "partition.assignment.strategy": "range",
    "queued.min.messages": 4_000,
    "queued.max.messages.kbytes": 32_768,
    "fetch.wait.max.ms": 250,
    "fetch.error.backoff.ms": 100,
    "fetch.queue.backoff.ms": 20,
    "reconnect.backoff.max.ms": 2_000,
}
_CLASSIC_ONLY = {"session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"}

_PRODUCER: dict[str, Any] = {
    "retry.backoff.ms": 20,
    "compression.type": "lz4",
    "reconnect.backoff.max.ms": 2_000,
}
_BATCH_BYTES = 1_000_000
_COMPRESSION = 10
_LARGEST_MESSAGE_BYTES = 1_000_000_000


def consumer_properties(settings: Settings) -> dict[str, Any]:
    """Properties of the consumer; whatever the settings name wins over the defaults here."""
    ours = settings.kafka
    chosen = {**ours.properties, **ours.consumer_properties}
    defaults = {name: value for name, value in _CONSUMER.items() if name not in chosen}
    if chosen.get("group.protocol") == "consumer":
        defaults = {name: value for name, value in defaults.items() if name not in _CLASSIC_ONLY}
    ours = _with(ours, consumer_properties={**defaults, **ours.consumer_properties})
    return kafka.consumer_config(ours, settings.stream.group_id)


def producer_properties(settings: Settings, *largest_bytes: int) -> dict[str, Any]:
    """Properties of the producer.

    largest_bytes: max.message.bytes of the topics that it writes to. The broker holds a compressed batch
    against it: batches of several messages stay below the least, and a single one is left to the broker
    to judge unless no compression could make it fit.
    """
    ours = settings.kafka
    chosen = {**ours.properties, **ours.producer_properties}
    defaults = {name: value for name, value in _PRODUCER.items() if name not in chosen}
    ours = _with(ours, producer_properties={**defaults, **ours.producer_properties})
    promises: dict[str, Any] = {
        "message.max.bytes": min(_COMPRESSION * max(largest_bytes), _LARGEST_MESSAGE_BYTES),
        "batch.size": min(_BATCH_BYTES, *largest_bytes),
    }
    if settings.stream.delivery == "exactly_once":
        promises["transactional.id"] = f"{settings.stream.group_id}-{uuid.uuid4()}"
        promises["transaction.timeout.ms"] = round(settings.stream.transaction_timeout_seconds * 1000)
    return kafka.producer_config(ours, promises)


def _with(ours: KafkaSettings, **changed: dict[str, Any]) -> KafkaSettings:
    return ours.model_copy(update=changed)


def connect(settings: Settings) -> tuple[AdminClient, Mapping[str, kafka.TopicFacts]]:
    """An admin client, and the stage's topics, which are there and have room. UserError otherwise."""
    admin = kafka.connect(settings.kafka)
    topics = settings.topics
    facts = kafka.topic_facts(admin, (topics.posts, topics.sentiment, topics.dead_letters))
    if problems := kafka.missing_or_tight(facts, settings):
        raise UserError(" ".join(problems))
    return admin, facts


def open_consumer(settings: Settings) -> Consumer:
    """A consumer in no group yet. UserError when a property is not valid."""
    try:
        return Consumer(consumer_properties(settings))
    except (KafkaException, ValueError, TypeError) as error:
        raise _not_valid(error) from None


def open_producer(properties: dict[str, Any]) -> Producer:
    """A producer. UserError when a property is not valid."""
    try:
        return Producer(properties)
    except (KafkaException, ValueError, TypeError) as error:
        raise _not_valid(error) from None


def committed_offsets(
    settings: Settings, partitions: Iterable[int], timeout_seconds: float
) -> dict[int, int]:
    """The group's offsets, which no open transaction is about to change. KafkaException without an answer."""
    wanted = [TopicPartition(settings.topics.posts, number) for number in partitions]
    # A consumer that never joins, and reads committed records only: the admin client's own call ends the
    # process when the group's coordinator has moved (librdkafka #5040).
    asker = open_consumer(settings)
    try:
        answers = asker.committed(wanted, timeout=timeout_seconds)
    finally:
        asker.close()
    for answer in answers:
        if answer.error is not None:
            raise KafkaException(answer.error)
    return {answer.partition: answer.offset for answer in answers if answer.offset >= 0}


def _not_valid(error: Exception) -> UserError:
    said = error.args[0].str() if isinstance(error, KafkaException) else str(error)
    return UserError(f"The Kafka settings are not valid: {said.rstrip('.')}.")
