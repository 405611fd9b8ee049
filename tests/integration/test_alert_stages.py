"""Labels and counts do not depend on alerts, and a webhook misses none, whoever comes, goes or drips."""

import json
import signal
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from nifos_stream.alerts.webhook import WebhookStage
from nifos_stream.local import kafka as local_kafka
from nifos_stream.local.datadir import choose_port
from nifos_stream.local.stack import LocalStack
from nifos_stream.metrics import Metrics
from tests.integration.kafka_tools import (
    New,
    admin,
    committed_offsets,
    create_topic,
    delete_topic,
    end_offsets,
    group_members,
    produce_all,
    wait_until,
)
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir
from tests.unit.alerts.made import made_alert
from tests.unit.alerts.receiving import dripping, receiving

HOOK = {"url": "http://127.0.0.1:9/hook", "name": "team"}


def produce(settings, count, start=0):
    posts = [{"id": f"p{number}", "text": "숲길이 좋아요"} for number in range(start, start + count)]
    values = [json.dumps(post, ensure_ascii=False).encode() for post in posts]
    produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, values)


def committed(settings, group, topic):
    """A broker that has just begun has no coordinator at first."""
    for _ in range(100):
        try:
            return committed_offsets(settings.kafka.bootstrap_servers, group, topic)
        except KafkaException:
            time.sleep(0.1)
    raise AssertionError("no coordinator")


def records_of(settings, topic):
    return sum(end_offsets(settings.kafka.bootstrap_servers, topic).values())


@pytest.mark.parametrize(
    ("role", "alerts", "missing"),
    [
        ("all", {}, ("alerts",)),
        ("all", {"rules": [], "webhooks": (HOOK,)}, ("alerts",)),
        ("all", {}, ("dead_letters", "alerts")),
        ("alert", {}, ("alerts",)),
    ],
)
def test_a_missing_topic_is_said_before_any_stage_begins(make_settings, tmp_path, role, alerts, missing):
    settings = make_settings(partitions=3, alerts=alerts)
    bootstrap = settings.kafka.bootstrap_servers
    names = [getattr(settings.topics, topic) for topic in missing]
    for name in names:
        delete_topic(bootstrap, name)
    produce(settings, 30)
    worker = WorkerProcess(settings, make_model_dir(tmp_path / "model"), role=role)
    assert worker.wait(60) == 2, worker.tail()
    assert not worker.saw("stage.started")
    (sentence,) = [event["line"] for event in worker.events if event["event"] == "(no JSON)"]
    for name in names:
        assert f"Topic {name} does not exist; `nifos-stream topics create` makes it." in sentence
    assert records_of(settings, settings.topics.sentiment) == 0
    assert committed(settings, settings.stream.group_id, settings.topics.posts) == {}
    assert committed(settings, settings.counters.group_id, settings.topics.sentiment) == {}


def test_without_rules_and_webhooks_the_alerts_topic_may_be_missing(make_settings, tmp_path):
    settings = make_settings(partitions=3, alerts={"rules": []})
    delete_topic(settings.kafka.bootstrap_servers, settings.topics.alerts)
    produce(settings, 30)
    worker = WorkerProcess(settings, make_model_dir(tmp_path / "model"), extra=("--until-idle", "1"))
    assert worker.wait(120) == 0, worker.tail()
    assert records_of(settings, settings.topics.sentiment) > 0


@pytest.fixture
def guarded_stack(tmp_path_factory):
    """A broker that can refuse."""
    authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    more = f"authorizer.class.name={authorizer}\nallow.everyone.if.no.acl.found=true\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_kafka, "_PROPERTIES", local_kafka._PROPERTIES + more)
        with LocalStack(tmp_path_factory.mktemp("guarded")) as running:
            yield running


@contextmanager
def refused(settings):
    """Nobody may be in a group of the alerts while the block runs."""
    client, group = admin(settings.kafka.bootstrap_servers), settings.alerts.group_id
    what = (ResourceType.GROUP, group, ResourcePatternType.PREFIXED, "User:ANONYMOUS", "*", AclOperation.READ)
    for future in client.create_acls([AclBinding(*what, AclPermissionType.DENY)]).values():
        future.result()
    yield
    for future in client.delete_acls([AclBindingFilter(*what, AclPermissionType.DENY)]).values():
        assert future.result()


def health(port, path="healthz"):
    """(status, stages) of a worker."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def restarts(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return {
        line.split('"')[1]: float(line.split()[-1])
        for line in lines
        if line.startswith("nifos_stage_restarts_total{")
    }


@pytest.mark.timeout(300)
def test_labels_and_counts_go_on_while_kafka_refuses_the_alerts(guarded_stack, make_settings, tmp_path):
    """And alerts work once it lets them, with no restart of the worker."""
    port = choose_port("HTTP", 0, default=0, kept=None)
    settings = make_settings(
        partitions=3,
        on=guarded_stack,
        alerts={"webhooks": (HOOK,)},
        http={"listen": f"127.0.0.1:{port}"},
    )
    posts, events = settings.topics.posts, settings.topics.sentiment
    with refused(settings):
        produce(settings, 100)
        worker = WorkerProcess(settings, make_model_dir(tmp_path / "model"))
        try:
            wait_until(lambda: worker.saw("stage.failed", 4), 120, what="both stages have failed twice")
            produce(settings, 100, start=100)
            for group, topic in ((settings.stream.group_id, posts), (settings.counters.group_id, events)):
                ends = end_offsets(settings.kafka.bootstrap_servers, topic)
                assert sum(ends.values()) >= 200
                wait_until(
                    lambda group=group, topic=topic, ends=ends: committed(settings, group, topic) == ends,
                    what=f"{topic} is read to its end",
                )
            assert set(restarts(port)) == {"alerts", "webhook-team"}
            assert min(restarts(port).values()) >= 1
            status, stages = health(port)
            assert status == health(port, "readyz")[0] == 200
            for name in ("alerts", "webhook-team"):
                assert "Kafka does not let this user read topic" in stages[name]["detail"]
            failed = [line for line in worker.events if line["event"] == "stage.failed"]
            assert all(line["level"] == "error" and "exception" not in line for line in failed)
        except BaseException:
            worker.exit(signal.SIGKILL)
            raise
    try:
        wait_until(lambda: worker.saw("alerts.taken_over"), 120, what="the alerts are evaluated")
        wait_until(
            lambda: all("is begun again soon" not in stage["detail"] for stage in health(port)[1].values()),
            120,
            what="all stages work",
        )
        worker.stop()
    finally:
        worker.exit(signal.SIGKILL)


@pytest.mark.timeout(300)
def test_a_worker_whose_alerts_fail_ends_at_once_when_told(guarded_stack, make_settings, tmp_path):
    """One that has nothing else to do ends by itself."""
    settings = make_settings(partitions=3, on=guarded_stack, alerts={"webhooks": (HOOK,)})
    with refused(settings):
        alone = WorkerProcess(settings, "unused", role="alert")
        assert alone.wait(60) == 2, alone.tail()
        worker = WorkerProcess(settings, make_model_dir(tmp_path / "model"))
        try:
            wait_until(lambda: worker.saw("stage.failed", 8), 120, what="both stages wait for long")
            told_at = time.monotonic()
            worker.stop()
            assert time.monotonic() - told_at < 8
        finally:
            worker.exit(signal.SIGKILL)


class Webhooks:
    """Webhook stages of one group in threads of the test's process."""

    def __init__(self, settings):
        self.settings = settings
        self.running = []

    def start(self):
        stage, stop = (
            WebhookStage(self.settings, self.settings.alerts.webhooks[0], Metrics()),
            threading.Event(),
        )
        thread = threading.Thread(target=stage.run, args=(stop,))
        thread.start()
        self.running.append((thread, stop))

    def end(self, number=-1):
        """How long that took, in seconds."""
        thread, stop = self.running.pop(number)
        told_at = time.monotonic()
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
        return time.monotonic() - told_at

    def __enter__(self):
        return self

    def __exit__(self, *_):
        while self.running:
            self.end()


@pytest.mark.parametrize(
    "properties",
    [{}, {"partition.assignment.strategy": "cooperative-sticky"}, {"group.protocol": "consumer"}],
    ids=["range", "cooperative", "newer"],
)
def test_every_alert_is_told_though_members_come_and_go_while_the_webhook_is_down(make_settings, properties):
    is_up = threading.Event()
    with receiving(lambda: (200 if is_up.is_set() else 503, {})) as (url, received):
        settings = make_settings(
            kafka={"consumer_properties": properties}, alerts={"webhooks": ({"url": url, "name": "team"},)}
        )
        bootstrap, topic = settings.kafka.bootstrap_servers, f"{settings.topics.alerts}-of-4"
        create_topic(bootstrap, topic, 4)
        settings = settings.model_copy(
            update={"topics": settings.topics.model_copy(update={"alerts": topic})}
        )
        group = f"{settings.alerts.group_id}-webhook-team"

        def publish(*numbers):
            alerts = [made_alert(number).model_dump_json().encode() for number in numbers]
            records = [
                New(alert, partition=number % 4) for alert, number in zip(alerts, numbers, strict=True)
            ]
            produce_all(bootstrap, topic, records)

        def owned():
            return sorted(len(places) for places in group_members(bootstrap, group).values())

        with Webhooks(settings) as webhooks:
            webhooks.start()
            wait_until(lambda: len(committed(settings, group, topic)) == 4, what="it has begun")
            publish(1, 2, 3, 4)
            wait_until(lambda: received, what="it is told")
            webhooks.start()
            wait_until(lambda: owned() == [2, 2], what="both have two partitions")
            publish(5, 6, 7, 8)
            tries = len(received)
            wait_until(lambda: len(received) > tries + 2, what="both try")
            webhooks.end()
            wait_until(lambda: owned() == [4], what="one has all again")
            publish(9, 10, 11, 12)
            is_up.set()
            ends = end_offsets(bootstrap, topic)
            wait_until(lambda: committed(settings, group, topic) == ends, 90, what="all is told")
    told = {alert["id"] for _, sent in received for alert in json.loads(sent)["alerts"]}
    assert told == {made_alert(number).id for number in range(1, 13)}


def test_a_stage_ends_soon_though_its_webhook_drips(make_settings):
    called = threading.Event()
    dripped = b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 10_000
    with dripping(dripped, on_call=called.set) as url:
        hook = {"url": url, "name": "team", "timeout_seconds": 60}
        settings = make_settings(alerts={"webhooks": (hook,)})
        bootstrap, topic = settings.kafka.bootstrap_servers, settings.topics.alerts
        group = f"{settings.alerts.group_id}-webhook-team"
        with Webhooks(settings) as webhooks:
            webhooks.start()
            wait_until(lambda: committed(settings, group, topic) == {0: 0}, what="it has begun")
            produce_all(bootstrap, topic, [New(made_alert(1).model_dump_json().encode(), partition=0)])
            assert called.wait(30)
            assert webhooks.end() < 5
        assert committed(settings, group, topic) == {0: 0}


def test_alerts_that_somebody_else_wrote_are_left_alone(make_settings):
    settings = make_settings(partitions=3)
    without = json.loads(made_alert(1).model_dump_json()) | {"evidence": {}}
    values = [b"no alert", json.dumps(without).encode(), json.dumps(without | {"kind": "feeling"}).encode()]
    produce_all(
        settings.kafka.bootstrap_servers,
        settings.topics.alerts,
        [New(value, partition=0) for value in values],
    )
    worker = WorkerProcess(settings, "unused", role="alert")
    try:
        wait_until(lambda: worker.saw("alerts.taken_over"), what="it evaluates")
        skipped = [line for line in worker.events if line["event"] == "alert.skipped"]
        assert [line["offset"] for line in skipped] == [0, 1, 2]
        (taken_over,) = (line for line in worker.events if line["event"] == "alerts.taken_over")
        assert taken_over["open"] == 0
        worker.stop()
    finally:
        worker.exit(signal.SIGKILL)
