"""Alerts on real Kafka and Redis: each begins once and ends once, whoever evaluates and dies meanwhile."""

import datetime as dt
import json
import signal
import threading
import time

import pytest
from starlette.testclient import TestClient

from nifos_stream.alerts.evaluator import Evaluator, replay
from nifos_stream.alerts.shelf import shelf_of
from nifos_stream.alerts.webhook import WebhookStage
from nifos_stream.commands.alerts import replay_rules
from nifos_stream.metrics import Metrics
from nifos_stream.watch.api import create_app
from tests.integration.alerted import (
    RULE,
    evaluated_to,
    open_and_ended,
    produce_labelled,
    published,
    recorded,
    written,
)
from tests.integration.counted import viewing
from tests.integration.kafka_tools import New, committed_offsets, produce_all, wait_until
from tests.integration.workers import WorkerProcess
from tests.unit.alerts.made import made_alert
from tests.unit.alerts.receiving import receiving

HOURS = 6


@pytest.fixture
def settings(make_settings):
    return make_settings(partitions=3, alerts={"rules": (RULE,), "settle_seconds": 1.0})


def test_every_alert_begins_once_and_ends_once_though_evaluating_workers_are_killed(settings):
    """Six missed hours are evaluated by two workers, of which the evaluating one is killed thrice."""
    now = int(time.time())
    begin = now - now % 60 - HOURS * 3600
    # Nothing lies in the last half hour, so that all has ended before the minutes that pass meanwhile.
    posts = written(begin, HOURS * 60 - 30)
    produce_labelled(settings, posts)
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
    assert open_and_ended(events) == {(name, ended): 1 for name in wanted for ended in (False, True)}
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
    produce_labelled(settings, posts)
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
