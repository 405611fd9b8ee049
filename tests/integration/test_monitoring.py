"""A real worker's metrics hold what the dashboards and alert rules ask for."""

import json
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nifos_stream.local import datadir
from tests.integration import kafka_tools as tools
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir
from tests.promql import selected
from tests.unit.test_monitoring import QUERIES

SELDOM = {
    "nifos_apply_refused_total": "another owner of a partition",
    "nifos_events_skipped_total": "a stranger's record",
}
"""Metrics that have no sample before something happens."""


@pytest.mark.timeout(600)
def test_every_query_finds_its_metrics_and_labels_in_a_real_worker(make_settings, tmp_path):
    port = datadir.free_port()
    settings = make_settings(partitions=2, http={"listen": f"127.0.0.1:{port}"})
    model = make_model_dir(tmp_path / "model")
    posts = [
        {"id": str(n), "text": "숲길이 좋아요", "source": "twitter", "keywords": ["숲길"]} for n in range(40)
    ]
    values = [json.dumps(post, ensure_ascii=False).encode() for post in posts]
    tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, [*values, b"{"])
    worker = WorkerProcess(settings, model)
    try:
        tools.wait_until(lambda: _value(port, "nifos_window_posts") == 40, 180, 1.0, "40 posts are counted")
        samples = _samples(port)
        worker.stop()
    finally:
        worker.exit(9)
    assert samples["nifos_window_source_posts"]
    for where, query, _ in QUERIES:
        for each in selected(query):
            if each.metric in SELDOM or each.metric == "up":
                continue
            assert each.metric in samples, f"{where}: {each.metric} is not exported"
            for labels in samples[each.metric]:
                assert each.labels <= set(labels), f"{where}: {each.metric} has {sorted(labels)}"


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
