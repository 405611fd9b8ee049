"""A labelled topic with bouts of negative posts, and what was published about it.

RULE                            a threshold that these bouts cross
written(begin, minutes)         posts: (minute, source, label)
produce_labelled(settings, posts)
recorded(posts)                 the same in memory
evaluated_to(settings[, minute])    up to when the group says that rules were evaluated; or say it
published(settings)             every event of the alerts topic
open_and_ended(events)          how often each alert was said to begin, and to end
"""

import datetime as dt
import json
import random
from collections import Counter

from confluent_kafka import Consumer, KafkaException, TopicPartition

from nifos_stream.alerts.recorded import Recorded
from nifos_stream.counters.shapes import Count
from nifos_stream.messages import AlertEvent
from tests.integration.kafka_tools import New, produce_all, read_all, wait_until

SOURCES = ("twitter", "naver_blog", "instagram")
RULE = {
    "name": "mostly-negative",
    "kind": "threshold",
    "dimensions": ["all", "source"],
    "metric": "negative_share",
    "above": 0.5,
    "window_minutes": 5,
    "min_posts": 3,
    "calm_minutes": 2,
}


def written(begin, minutes):
    """(minute, source, label) of posts, with bouts of negative ones."""
    rng = random.Random(5)
    found = []
    for minute in range(minutes):
        for place, source in enumerate(SOURCES):
            bout = (minute // (20 + 7 * place)) % 3 == 1
            for _ in range(rng.randrange(3)):
                label = "negative" if rng.random() < (0.9 if bout else 0.2) else "positive"
                found.append((begin + 60 * minute, source, label))
    return found


def labelled(number, minute, source, label):
    moment = dt.datetime.fromtimestamp(minute + 5, dt.UTC).isoformat()
    event = {
        "id": str(number),
        "text": f"<b>post</b> {number}",
        "source": source,
        "created_at": moment,
        "sentiment": {"label": label, "label_ko": "", "score": 0.9, "probabilities": {}},
        "model": {"name": "tiny", "revision": "r1"},
        "labelled_at": moment,
        "origin": {"topic": "posts", "partition": 0, "offset": number, "timestamp": minute * 1000},
        "matched_keywords": [],
        "truncated": False,
    }
    return New(json.dumps(event).encode(), partition=number % 3)


def produce_labelled(settings, posts):
    records = [labelled(number, *post) for number, post in enumerate(posts)]
    produce_all(settings.kafka.bootstrap_servers, settings.topics.sentiment, records)


def recorded(posts):
    series = Recorded()
    for minute, source, label in posts:
        series.add(minute, Count(**{label: 1}), {"source": (source,)})
    return series


def evaluated_to(settings, minute=None):
    """What the group says; with a minute, say it."""
    place = TopicPartition(settings.topics.alerts, 0, 0, json.dumps({"evaluated_to": minute}))
    client = Consumer(
        {"bootstrap.servers": settings.kafka.bootstrap_servers, "group.id": settings.alerts.group_id}
    )
    try:
        if minute is not None:
            wait_until(lambda: is_committed(client, place), what="the group says so")
        (found,) = client.committed([place], timeout=20)
        return json.loads(found.metadata or '{"evaluated_to": 0}')["evaluated_to"]
    finally:
        client.close()


def is_committed(client, place):
    """A coordinator that has just begun refuses at first."""
    try:
        client.commit(offsets=[place], asynchronous=False)
    except KafkaException:
        return False
    return True


def published(settings):
    records = read_all(settings.kafka.bootstrap_servers, settings.topics.alerts)
    events = [AlertEvent.model_validate_json(record.value) for record in records]
    assert [record.key.decode() for record in records] == [event.id for event in events]
    return events


def open_and_ended(events):
    return Counter((event.id, event.ended_at is not None) for event in events)
