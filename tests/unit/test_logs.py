"""Logs go to standard error as it is at the moment, and never keep the program from ending."""

import io
import sys

import pytest
import structlog

from nifos_stream import logs


@pytest.fixture(autouse=True)
def _as_before():
    yield
    structlog.reset_defaults()


def test_logs_follow_standard_error_to_where_it_is_redirected(monkeypatch):
    closed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", closed)
    logs.configure("json")
    log = logs.get("test")
    log.info("first.said")
    closed.close()
    now = io.StringIO()
    monkeypatch.setattr(sys, "stderr", now)
    log.info("second.said", posts=3)
    assert '"event": "second.said"' in now.getvalue()


def test_events_below_the_level_are_not_shown(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    logs.configure("json", "warning")
    logs.get("test").info("not.shown")
    logs.get("test").error("but.this")
    assert "not.shown" not in shown.getvalue()
    assert "but.this" in shown.getvalue()


def test_a_module_is_named_without_the_package(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    logs.configure("json")
    logs.get("nifos_stream.counters.view").info("first.said")
    assert '"component": "counters.view"' in shown.getvalue()
