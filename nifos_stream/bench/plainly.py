"""What the pipeline is held against: loops that do nothing more than they must. Knows no stage, no model."""

import json
import time
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from nifos_stream import kafka
from nifos_stream.errors import NifosError
from nifos_stream.settings import Settings

_READ = 2000
_WAIT_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0


def copy(settings: Settings, posts: int) -> float:
    """Copy the posts topic to the labelled one, exactly once and unchanged; posts a second.

    Consume, produce with key and headers, commit with the offsets, in one thread, in transactions as large as
    the pipeline's may be: `stream.batch_posts`.
    """
    group, topics = settings.stream.group_id, settings.topics
    consumer = Consumer(kafka.consumer_config(settings.kafka, group, {"enable.partition.eof": False}))
    producer = Producer(kafka.producer_config(settings.kafka, {"transactional.id": group}))
    producer.init_transactions(_PATIENCE_SECONDS)
    consumer.subscribe([topics.posts])
    copied, begun_at, deadline = 0, 0.0, time.monotonic() + _PATIENCE_SECONDS
    try:
        while copied < posts:
            messages = consumer.consume(settings.stream.batch_posts, _WAIT_SECONDS)
            if not messages:
                _check(deadline)
                continue
            begun_at = begun_at or time.perf_counter()
            _copy_batch(consumer, producer, topics.sentiment, messages)
            copied += len(messages)
        return copied / (time.perf_counter() - begun_at)
    finally:
        consumer.close()


def _copy_batch(consumer: Consumer, producer: Producer, topic: str, messages: list[Message]) -> None:
    offsets: dict[int, int] = {}
    source: Any = None
    producer.begin_transaction()
    for message in messages:
        source, partition, offset = message.topic(), message.partition(), message.offset()
        while True:
            try:
                producer.produce(
                    topic,
                    message.value(),
                    message.key(),
                    partition=partition,  # type: ignore[arg-type] # of a message it is no None
                    headers=message.headers(),
                )
                break
            except BufferError:
                producer.poll(0.1)
        offsets[partition] = offset + 1  # type: ignore[index, operator] # the same
    places = [TopicPartition(source, partition, offset) for partition, offset in offsets.items()]
    producer.send_offsets_to_transaction(places, consumer.consumer_group_metadata(), _PATIENCE_SECONDS)
    producer.commit_transaction(_PATIENCE_SECONDS)


def read(settings: Settings, events: int) -> float:
    """Read the labelled topic and decode its JSON, and nothing more; events a second."""
    topic = settings.topics.sentiment
    consumer = Consumer(
        kafka.consumer_config(settings.kafka, settings.counters.group_id, {"enable.partition.eof": False})
    )
    listed = consumer.list_topics(topic, timeout=10).topics[topic]
    consumer.assign([TopicPartition(topic, partition, 0) for partition in listed.partitions])
    found, before, begun_at, deadline = 0, 0, 0.0, time.monotonic() + _PATIENCE_SECONDS
    try:
        while found < events:
            messages = consumer.consume(_READ, _WAIT_SECONDS)
            if not messages:
                _check(deadline)
                continue
            for message in messages:
                json.loads(message.value() or b"")
            found += len(messages)
            if not begun_at:
                before, begun_at = found, time.perf_counter()
        return (found - before) / (time.perf_counter() - begun_at)
    finally:
        consumer.close()


def _check(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise NifosError(f"The topic could not be read to its end within {_PATIENCE_SECONDS:g} s.")
