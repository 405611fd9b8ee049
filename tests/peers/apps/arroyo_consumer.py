"""sentry-arroyo: batch, label, unbatch, produce, commit the offsets; at least once.

After the library's examples/transform_and_produce/batched.py.
"""

import json
import signal
from collections.abc import Mapping, MutableSequence
from typing import Any

from arroyo.backends.kafka import KafkaConsumer, KafkaPayload, KafkaProducer
from arroyo.backends.kafka.configuration import build_kafka_configuration, build_kafka_consumer_configuration
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import (
    BatchStep,
    CommitOffsets,
    ProcessingStrategy,
    ProcessingStrategyFactory,
    Produce,
    RunTask,
    UnbatchStep,
)
from arroyo.processing.strategies.batching import ValuesBatch
from arroyo.types import BaseValue, Commit, Message, Partition, Topic, Value

from tests.peers.apps.job import Job
from tests.peers.apps.labellers import BATCH, Labeller, labeller


class LabellingFactory(ProcessingStrategyFactory[KafkaPayload]):
    def __init__(self, label: Labeller, producer: KafkaProducer, topic: Topic) -> None:
        self._label = label
        self._producer = producer
        self._topic = topic

    def create_with_partitions(
        self,
        commit: Commit,
        partitions: Mapping[Partition, int],  # noqa: ARG002 - the library's interface
    ) -> ProcessingStrategy[KafkaPayload]:
        unbatch: UnbatchStep[KafkaPayload] = UnbatchStep(
            next_step=Produce(self._producer, self._topic, CommitOffsets(commit))
        )
        return BatchStep(
            max_batch_size=BATCH,
            max_batch_time=1.0,
            next_step=RunTask(function=self.labelled, next_step=unbatch),
        )

    def labelled(self, batch: Message[ValuesBatch[KafkaPayload]]) -> ValuesBatch[KafkaPayload]:
        posts: list[dict[str, Any]] = [json.loads(each.payload.value) for each in batch.payload]
        sentiments = self._label([post["text"] for post in posts])
        made: MutableSequence[BaseValue[KafkaPayload]] = []
        for each, post, sentiment in zip(batch.payload, posts, sentiments, strict=True):
            value = json.dumps(post | {"sentiment": sentiment}, ensure_ascii=False).encode()
            payload = KafkaPayload(key=each.payload.key, headers=each.payload.headers, value=value)
            made.append(Value(payload=payload, committable=each.committable, timestamp=each.timestamp))
        return made


def main() -> None:
    job = Job.given()
    label = labeller(job)
    brokers = job.bootstrap_servers.split(",")
    producer = KafkaProducer(build_kafka_configuration(default_config={}, bootstrap_servers=brokers))
    consumer = KafkaConsumer(
        build_kafka_consumer_configuration(
            default_config={},
            bootstrap_servers=brokers,
            auto_offset_reset="earliest",
            group_id=job.group,
        )
    )
    processor = StreamProcessor(
        consumer=consumer,
        topic=Topic(job.posts),
        processor_factory=LabellingFactory(label, producer, Topic(job.labelled)),
    )
    signal.signal(signal.SIGTERM, lambda *_: processor.signal_shutdown())
    processor.run()


if __name__ == "__main__":
    main()
