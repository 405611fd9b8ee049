"""Posts sent to a classifying stage, and what became of them."""

import json
from collections import Counter

from tests.integration import kafka_tools as tools


def post(number, text="숲길이 좋아요", **more):
    return json.dumps({"id": str(number), "text": text, **more}, ensure_ascii=False).encode()


def produce(settings, count, start=0, **more):
    """Posts with keys that keep each one's order within its partition."""
    records = [
        tools.New(post(number, **more), key=f"k{number % 50}".encode())
        for number in range(start, start + count)
    ]
    return tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, records)


def events(settings):
    return tools.read_all(settings.kafka.bootstrap_servers, settings.topics.sentiment)


def letters(settings):
    return tools.read_all(settings.kafka.bootstrap_servers, settings.topics.dead_letters)


def ids(records):
    return [json.loads(record.value)["id"] for record in records]


def lag(settings):
    return tools.lag(settings.kafka.bootstrap_servers, settings.stream.group_id, settings.topics.posts)


def assert_each_once_in_order(settings, count):
    found = events(settings)
    assert Counter(ids(found)) == Counter(str(number) for number in range(count))
    origins = [
        (record.partition, event["origin"]["partition"], event["origin"]["offset"])
        for record, event in ((record, json.loads(record.value)) for record in found)
    ]
    assert all(partition == origin for partition, origin, _ in origins)
    assert origins == sorted(origins)
