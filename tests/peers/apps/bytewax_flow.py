"""bytewax: a dataflow from topic to topic, at least once.

Its runner runs it: `python -m bytewax.run tests.peers.apps.bytewax_flow -r DIRECTORY -s 10 -b 0`.
"""

import json
from collections.abc import Iterator
from datetime import timedelta

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

from tests.peers.apps.job import Job
from tests.peers.apps.labellers import BATCH, labeller

job = Job.given()
label = labeller(job)
brokers = job.bootstrap_servers.split(",")


def labelled(keyed: tuple[str, list[KafkaSourceMessage]]) -> Iterator[KafkaSinkMessage]:
    _key, messages = keyed
    posts = [json.loads(message.value) for message in messages]
    sentiments = label([post["text"] for post in posts])
    for message, post, sentiment in zip(messages, posts, sentiments, strict=True):
        value = json.dumps(post | {"sentiment": sentiment}, ensure_ascii=False)
        yield KafkaSinkMessage(message.key, value.encode())


flow = Dataflow("sentiment")
posts = kop.input("posts", flow, brokers=brokers, topics=[job.posts])
op.raises("crash-on-error", posts.errs)
keyed = op.key_on("one-key", posts.oks, lambda _message: "all")
batches = op.collect("batch", keyed, timeout=timedelta(seconds=1), max_size=BATCH)
kop.output("labelled", op.flat_map("label", batches, labelled), brokers=brokers, topic=job.labelled)
