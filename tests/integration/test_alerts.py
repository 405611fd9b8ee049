"""Alerts on real Kafka and Redis: each begins once and ends once, whoever evaluates and dies meanwhile."""

import datetime as dt
import json
import random
import signal
import threading
import time
from collections import Counter

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from starlette.testclient import TestClient

from nifos_stream.alerts.evaluator import Evaluator, replay
from nifos_stream.alerts.recorded import Recorded
from nifos_stream.alerts.shelf import shelf_of
from nifos_stream.alerts.webhook import WebhookStage
from nifos_stream.commands.alerts import replay_rules
from nifos_stream.counters.shapes import Count
from nifos_stream.messages import AlertEvent
from nifos_stream.metrics import Metrics
from nifos_stream.watch.api import create_app
from tests.integration.counted import viewing
from tests.integration.kafka_tools import New, committed_offsets, produce_all, read_all, wait_until
from tests.integration.workers import WorkerProcess
from tests.unit.alerts.made import made_alert
from tests.unit.alerts.receiving import receiving

HOURS = 6
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


@pytest.fixture
def settings(make_settings):
    return make_settings(partitions=3, alerts={"rules": (RULE,), "settle_seconds": 1.0})


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


def test_every_alert_begins_once_and_ends_once_though_evaluating_workers_are_killed(settings):
    """Six missed hours are evaluated by two workers, of which the evaluating one is killed thrice."""
    now = int(time.time())
    begin = now - now % 60 - HOURS * 3600
    # Nothing lies in the last half hour, so that all has ended before the minutes that pass meanwhile.
    posts = written(begin, HOURS * 60 - 30)
    produce_all(
        settings.kafka.bootstrap_servers,
        settings.topics.sentiment,
        [labelled(number, *post) for number, post in enumerate(posts)],
    )
    evaluated_to(settings, begin)
    evaluator = Evaluator(settings.alerts.rules, recorded(posts))
    wanted = {alert.id: alert for alert in replay(evaluator, begin, begin + HOURS * 3600)}
    assert len(wanted) > 15
    with viewing(settings) as counters:
        counters.wait_level()
        workers = [WorkerProcess(settings, "unused", role="alert") for _ in range(2)]
        for kill in range(3):
            goal = begin + (kill + 1) * HOURS * 700
            wait_until(lambda goal=goal: evaluated_to(settings) >= goal, 120, what="minutes are evaluated")
            leader = next(worker for worker in workers if worker.saw("alerts.taken_over") and worker.alive)
            leader.exit(signal.SIGKILL)
            workers.remove(leader)
            workers.append(WorkerProcess(settings, "unused", role="alert"))
        wait_until(lambda: evaluated_to(settings) >= now - now % 60, 120, what="all is evaluated")
        for worker in workers:
            worker.stop()
    events = published(settings)
    said = Counter((event.id, event.ended_at is not None) for event in events)
    assert said == {(name, ended): 1 for name in wanted for ended in (False, True)}
    for event in events:
        assert event.started_at.timestamp() == wanted[event.id].started_at
        if event.ended_at is not None:
            assert event.ended_at.timestamp() == wanted[event.id].ended_at
        assert event.evidence["posts"]
        assert {post["label"] for post in event.evidence["posts"]} == {"negative"}
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8080") as client:
        answer = client.get("/api/v1/alerts", params={"state": "all", "limit": 500}).json()
        assert {alert["id"] for alert in answer["alerts"]} == wanted.keys()
        assert client.get("/api/v1/alerts").json() == {"alerts": []}


def test_an_emptied_redis_shows_the_same_alerts_again(settings, redis_client):
    """What readers see is a copy of the topic, made anew by whoever takes over."""
    now = int(time.time())
    begin = now - now % 60 - 3600
    posts = written(begin, 45)
    produce_all(
        settings.kafka.bootstrap_servers,
        settings.topics.sentiment,
        [labelled(number, *post) for number, post in enumerate(posts)],
    )
    evaluated_to(settings, begin)
    shelf = shelf_of(settings)
    with viewing(settings) as counters:
        counters.wait_level()
        for turn in range(2):
            worker = WorkerProcess(settings, "unused", role="alert")
            wait_until(lambda worker=worker: worker.saw("alerts.taken_over"), what="it has taken over")
            wait_until(lambda: evaluated_to(settings) >= now - now % 60, what="all is evaluated")
            worker.stop()
            shown = {alert.id: alert.ended_at for alert in shelf.read("all", 100)}
            assert shown == {event.id: event.ended_at for event in published(settings)}
            assert shown or turn
            # A replay of the topic finds the same.
            times = [dt.datetime.fromtimestamp(at, dt.UTC).isoformat() for at in (begin, now)]
            replayed = replay_rules(settings, start=times[0], end=times[1])
            assert {alert.id: alert.ended_at for alert in replayed.alerts} == shown
            redis_client.delete(*redis_client.keys(f"{{{settings.counters.prefix}:alerts}}*"))
    shelf.close()


def webhook_thread(settings, stop):
    stage = WebhookStage(settings, settings.alerts.webhooks[0], Metrics())
    thread = threading.Thread(target=stage.run, args=(stop,))
    thread.start()
    return thread


def offset_of(settings, group):
    return committed_offsets(settings.kafka.bootstrap_servers, group, settings.topics.alerts).get(0, -1)


def publish(settings, *alerts):
    records = [New(alert.model_dump_json().encode(), key=alert.id.encode(), partition=0) for alert in alerts]
    produce_all(settings.kafka.bootstrap_servers, settings.topics.alerts, records)


def test_a_webhook_that_was_down_hears_of_every_alert(make_settings):
    """It is told from its first day on; what it missed while it or the worker was down comes later."""
    with receiving((503, {}), (503, {}), (200, {})) as (url, received):
        settings = make_settings(alerts={"webhooks": ({"url": url, "name": "team"},)})
        group = f"{settings.alerts.group_id}-webhook-team"
        publish(settings, made_alert(1))
        first = threading.Event()
        thread = webhook_thread(settings, first)
        wait_until(lambda: offset_of(settings, group) == 1, what="a new webhook begins here")
        publish(settings, made_alert(2))
        wait_until(lambda: received, what="it is told")
        first.set()
        thread.join(30)
        publish(settings, made_alert(2, ended=True), made_alert(3))
        second = threading.Event()
        thread = webhook_thread(settings, second)
        wait_until(lambda: offset_of(settings, group) == 4, what="all is delivered")
        second.set()
        thread.join(30)
    alerts = [alert for _, sent in received[2:] for alert in json.loads(sent)["alerts"]]
    told = [(alert["id"], alert["ended_at"] is not None) for alert in alerts]
    assert told == [(made_alert(2).id, False), (made_alert(2).id, True), (made_alert(3).id, False)]
