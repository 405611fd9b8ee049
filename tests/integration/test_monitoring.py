"""A real worker's metrics hold what the dashboards and alert rules ask for."""

import json
import math
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from nifos_stream.local import datadir
from tests.integration import kafka_tools as tools
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir
from tests.promql import selected
from tests.unit.test_monitoring import DEPLOY, QUERIES, panels

SELDOM = {
    "nifos_apply_refused_total": "another owner of a partition",
    "nifos_events_skipped_total": "a stranger's record",
}
"""Metrics that have no sample before something happens."""


VARIABLES = {"$__rate_interval": "10s", "$window": "1h"}
"""What Grafana would fill in, where Prometheus scrapes each second."""


@contextmanager
def working(settings, port, model):
    """A worker that has counted 40 posts and found a bad one; and what sends more."""

    def send(first):
        posts = [
            {"id": str(n), "text": f"숲길이 좋아요 {n}", "source": "twitter", "keywords": ["숲길"]}
            for n in range(first, first + 40)
        ]
        values = [json.dumps(post, ensure_ascii=False).encode() for post in posts]
        tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, [*values, b"{"])

    send(0)
    worker = WorkerProcess(settings, model)
    try:
        tools.wait_until(lambda: _value(port, "nifos_window_posts") == 40, 180, 1.0, "40 posts are counted")
        yield send
        worker.stop()
    finally:
        worker.exit(9)


@pytest.fixture
def port():
    return datadir.free_port()


@pytest.fixture
def settings(make_settings, port):
    return make_settings(partitions=2, http={"listen": f"127.0.0.1:{port}"})


@pytest.mark.timeout(600)
def test_every_query_finds_its_metrics_and_labels_in_a_real_worker(settings, port, tmp_path):
    with working(settings, port, make_model_dir(tmp_path / "model")):
        samples = _samples(port)
    assert samples["nifos_window_source_posts"]
    for where, query, _ in QUERIES:
        for each in selected(query):
            if each.metric in SELDOM or each.metric == "up":
                continue
            assert each.metric in samples, f"{where}: {each.metric} is not exported"
            for labels in samples[each.metric]:
                assert each.labels <= set(labels), f"{where}: {each.metric} has {sorted(labels)}"


@pytest.mark.timeout(600)
def test_a_real_prometheus_answers_every_panel_with_numbers(settings, port, tmp_path):
    if (binary := shutil.which("prometheus")) is None:
        pytest.skip("prometheus is not here")
    with (
        working(settings, port, make_model_dir(tmp_path / "model")) as send,
        scraping(binary, port, tmp_path) as prometheus,
    ):
        counted = "sum(nifos_window_posts{window='1h'})"
        tools.wait_until(lambda: prometheus.numbers(counted) == [40], 60, 0.5, "the first scrape")
        send(40)
        tools.wait_until(lambda: prometheus.numbers(counted) == [80], 60, 0.5, "40 posts more")
        for where, query, _ in panels():
            for name, value in VARIABLES.items():
                query = query.replace(name, value)
            found = prometheus.numbers(query)
            if not {each.metric for each in selected(query)} <= set(SELDOM):
                assert found, f"{where}: nothing is found by {query}"
            assert all(map(math.isfinite, found)), f"{where}: {found}"
        groups = prometheus.asked("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 10
    assert {rule["health"] for rule in rules} == {"ok"}
    assert not [rule["name"] for rule in rules if rule["state"] == "firing"]


class Prometheus:
    """A server that is asked over its HTTP API."""

    def __init__(self, port):
        self._port = port

    def asked(self, what, **parameters):
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self._port}/api/v1/{what}?{query}", timeout=20
        ) as answer:
            return json.load(answer)["data"]

    def numbers(self, query):
        """What an instant query finds; nothing while the server starts."""
        try:
            found = self.asked("query", query=query)["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from None
        except OSError:
            return []
        return [float(each["value"][1]) for each in found]


@contextmanager
def scraping(binary, port, folder):
    """Prometheus as it is deployed, but that it scrapes one worker, and each second."""
    said = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    said["global"] = dict.fromkeys(("scrape_interval", "evaluation_interval"), "1s")
    said["rule_files"] = [str(DEPLOY / "prometheus" / "alerts.yml")]
    (job,) = said["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(said), encoding="utf-8")
    own = datadir.free_port()
    options = {
        "config.file": config,
        "storage.tsdb.path": folder / "prometheus",
        "web.listen-address": f"127.0.0.1:{own}",
        "log.level": "warn",
    }
    with (folder / "prometheus.log").open("wb") as log:
        argv = [binary, *(f"--{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(argv, stdout=log, stderr=log)
        try:
            yield Prometheus(own)
        finally:
            process.terminate()
            process.wait(30)


def _samples(port):
    """{name: [labels of each sample]}"""
    found = {}
    for family in _families(port):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def _value(port, name):
    """The posts of the last hour; None while there is no answer."""
    try:
        samples = [sample for family in _families(port) for sample in family.samples if sample.name == name]
    except OSError:
        return None
    return sum(sample.value for sample in samples if sample.labels["window"] == "1h")


def _families(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        return list(text_string_to_metric_families(answer.read().decode()))
