"""Health and metrics are there over HTTP when asked for."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from nifos_stream.probes import serve_probes
from nifos_stream.stage import Health


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_worker_that_is_well_but_not_ready_says_so():
    health = {"classify": Health(ok=True, ready=False, detail="waiting for partitions")}
    with serve_probes("127.0.0.1:0", lambda: health, Metrics()) as port:
        assert get(port, "/healthz")[0] == 200
        status, body = get(port, "/readyz")
    assert status == 503
    assert json.loads(body) == {"classify": {"ok": True, "ready": False, "detail": "waiting for partitions"}}


def test_an_unwell_stage_turns_health_red():
    health = {"a": Health(ok=True, ready=True, detail=""), "b": Health(ok=False, ready=True, detail="storm")}
    with serve_probes("127.0.0.1:0", lambda: health, Metrics()) as port:
        assert get(port, "/healthz")[0] == 503


def test_metrics_are_exported_in_prometheus_text():
    metrics = Metrics()
    metrics.posts_read.inc(3)
    with serve_probes("127.0.0.1:0", dict, metrics) as port:
        status, body = get(port, "/metrics")
    assert status == 200
    assert "nifos_posts_read_total 3.0" in body


def test_another_path_says_what_there_is():
    with serve_probes("127.0.0.1:0", dict, Metrics()) as port:
        assert get(port, "/")[0] == 404


def test_a_port_that_is_taken_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(UserError, match=f"cannot be opened at 127.0.0.1:{port}"),
            serve_probes(f"127.0.0.1:{port}", dict, Metrics()),
        ):
            pass
