"""confluent-kafka: consume, label, produce and commit in one transaction.

After the library's examples/eos_transactions.py, with `subscribe` (which it says needs KIP-447: brokers since
2.5), with `consume`, its documentation's way to many messages at once, and with a larger transaction.
"""

import json

from confluent_kafka import Consumer, Producer

from tests.peers.apps.job import Job
from tests.peers.apps.labellers import Labeller, labeller

TRANSACTION = 512


def run(job: Job, label: Labeller) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": job.bootstrap_servers,
            "group.id": job.group,
            "auto.offset.reset": "earliest",
            # Offsets are committed with the transaction.
            "enable.auto.commit": False,
        }
    )
    producer = Producer({"bootstrap.servers": job.bootstrap_servers, "transactional.id": job.group})
    producer.init_transactions()
    consumer.subscribe([job.posts])
    while True:
        messages = [
            message for message in consumer.consume(TRANSACTION, timeout=1.0) if message.error() is None
        ]
        if not messages:
            continue
        posts = [json.loads(message.value()) for message in messages]
        sentiments = label([post["text"] for post in posts])
        producer.begin_transaction()
        for message, post, sentiment in zip(messages, posts, sentiments, strict=True):
            value = json.dumps(post | {"sentiment": sentiment}, ensure_ascii=False)
            producer.produce(job.labelled, value, message.key())
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata()
        )
        producer.commit_transaction()


def main() -> None:
    job = Job.given()
    run(job, labeller(job))


if __name__ == "__main__":
    main()
