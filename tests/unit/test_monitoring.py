"""What Prometheus and Grafana ask for is what the program exports."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import prometheus_client
import pytest
import yaml

from nifos_stream.errors import Reason
from nifos_stream.messages import LABELS
from nifos_stream.metrics import _ANSWERED, Metrics
from nifos_stream.watch.exported import WINDOWS
from tests.promql import MADE_BY_PROMETHEUS, labels_of, selected

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
VALUES = {
    "label": {label.value for label in LABELS},
    "reason": set(Reason),
    "window": set(WINDOWS),
    "end": {"committed", "dropped"},
    "job": {"nifos"},
}
"""Values that a label can have, where a query may name one."""


def declared():
    """Labels by name of a sample."""
    samples = {f"nifos_{name}": {*labels} for name, (_, labels) in _ANSWERED.items()}
    samples["up"] = set()
    for metric in vars(Metrics()).values():
        if isinstance(metric, prometheus_client.Counter):
            samples[f"{metric._name}_total"] = {*metric._labelnames}
        elif isinstance(metric, prometheus_client.Gauge):
            samples[metric._name] = {*metric._labelnames}
        elif isinstance(metric, prometheus_client.Histogram):
            samples |= {f"{metric._name}_{part}": {*metric._labelnames} for part in ("sum", "count")}
            samples[f"{metric._name}_bucket"] = {*metric._labelnames, "le"}
    return samples


def panels():
    """(where it is, query, legend) of every query of every dashboard."""
    for board in BOARDS:
        for panel in json.loads(board.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                yield f"{board.stem}: {panel['title']}", target["expr"], target["legendFormat"]


def rules():
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


QUERIES = [*panels(), *((f"rule: {rule['alert']}", rule["expr"], "") for rule in rules())]


def test_there_are_dashboards_and_rules():
    assert [board.stem for board in BOARDS] == ["operations", "sentiment"]
    assert len(QUERIES) > 50


@pytest.mark.parametrize(("where", "query", "legend"), QUERIES, ids=[where for where, _, _ in QUERIES])
def test_a_query_uses_metrics_and_labels_that_are_exported(where, query, legend):
    samples = declared()
    for each in selected(query):
        assert each.metric in samples, f"{where}: no metric is called {each.metric}"
        assert each.labels <= samples[each.metric], f"{where}: {each.metric} has no such label"
        for label, value in each.values:
            assert value in VALUES[label], f"{where}: {label} is never {value}"
    kept = labels_of(query)
    if kept is None:
        kept = samples[selected(query)[0].metric] | MADE_BY_PROMETHEUS
    assert set(re.findall(r"{{(\w+)}}", legend)) <= kept, f"{where}: the answer lacks a label of its legend"


def test_a_rule_says_what_is_wrong_and_names_labels_that_it_has():
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        kept = labels_of(rule["expr"])
        said = "".join(rule["annotations"][name] for name in ("summary", "description"))
        if kept is not None:
            assert set(re.findall(r"\$labels\.(\w+)", said)) <= kept, rule["alert"]
    assert len({rule["alert"] for rule in rules()}) == len(rules())


@pytest.mark.parametrize("board", BOARDS, ids=[board.stem for board in BOARDS])
def test_a_dashboard_is_one_that_grafana_can_provision(board):
    said = json.loads(board.read_text(encoding="utf-8"))
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    (uid,) = {each["uid"] for each in source["datasources"]}
    assert said["uid"]
    assert len({panel["id"] for panel in said["panels"]}) == len(said["panels"])
    taken = set()
    for panel in said["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, f"{panel['title']} lies over another"
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {uid}


def test_prometheus_reads_the_rules_where_they_are_mounted():
    said = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    compose = (DEPLOY.parent / "docker-compose.yml").read_text(encoding="utf-8")
    assert all(f":{path}:ro" in compose for path in said["rule_files"])
    assert [job["job_name"] for job in said["scrape_configs"]] == ["nifos"]


def test_every_rule_is_tried_out():
    tried = (DEPLOY / "prometheus" / "alerts_test.yml").read_text(encoding="utf-8")
    assert {rule["alert"] for rule in rules()} == set(re.findall(r'alertname="(\w+)"', tried))


def test_prometheus_takes_the_rules_and_they_fire_when_they_should():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here")
    done = subprocess.run(
        [promtool, "test", "rules", DEPLOY / "prometheus" / "alerts_test.yml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
