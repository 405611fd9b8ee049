"""`nifos-stream web` on counts that the view made from a real topic, asked over real connections."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx2
import pytest
import uvicorn

from nifos_stream.commands.counts import Question, answer_json, ask
from nifos_stream.commands.web import listening
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from nifos_stream.watch.api import create_app
from nifos_stream.watch.snapshot import open_counts
from tests.integration.kafka_tools import wait_until
from tests.integration.test_watch import counted  # noqa: F401 - a fixture

FRESHNESS = {"behind", "behind_seconds", "backlog", "counted_since", "rebuilding"}


class CountedReads:
    """The reader, and how often each window was asked."""

    def __init__(self, settings):
        self._counts = open_counts(settings)
        self.asked = []

    def window(self, window, **asked):
        self.asked.append((window, asked["by"]))
        return self._counts.window(window, **asked)

    def close(self):
        self._counts.close()


@contextlib.contextmanager
def serving(settings, counts=None):
    """The API on a free port; yields its address."""
    app = create_app(settings, counts=counts)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
    with listening("127.0.0.1:0") as sock:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        wait_until(lambda: server.started, what="the server is up")
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}/api/v1/"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def get(address, **query):
    answer = httpx2.get(address, params=query, timeout=20)
    return answer.status_code, answer.json()


def events(address, most, **query):
    """(when, data) of so many events of a stream."""
    found = []
    with httpx2.stream("GET", address, params=query, timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                found.append((time.monotonic(), json.loads(line.removeprefix("data: "))))
            if len(found) == most:
                return found
    raise AssertionError("the stream ended")


def counts_of(answer):
    return {name: value for name, value in answer.items() if name not in FRESHNESS}


def test_the_api_says_what_the_reader_says(counted):  # noqa: F811 - the fixture
    with serving(counted) as address, open_counts(counted) as reader:
        window = reader.window("1h", by="keyword", where={"source": "twitter"}, grain="1m")
        asked = {"from": window.start.isoformat(), "to": window.end.isoformat()}
        asked |= {"by": "keyword", "where": "source=twitter", "grain": "1m"}
        status, said = get(address + "sentiment", **asked)
        question = Question(None, "keyword", ["source=twitter"], asked["from"], asked["to"], "1m")
        assert status == 200
        assert counts_of(said) == counts_of(answer_json(ask(reader, question)))
        assert said["groups"]["산불"] == {
            "negative": 20,
            "neutral": 0,
            "positive": 10,
            "total": 30,
            "net_sentiment": -0.333333,
        }
        assert said["behind"] == 0
        assert said["behind_seconds"] is not None
        assert get(address + "sentiment", by="colour")[0] == 400


def test_two_viewers_of_one_question_get_an_event_a_second_of_one_read(counted):  # noqa: F811
    counts = CountedReads(counted)
    seen = {}

    def view(number):
        seen[number] = events(address + "stream", 4, window="15m", by="source")

    with serving(counted, counts) as address:
        viewers = [threading.Thread(target=view, args=(number,)) for number in range(2)]
        for viewer in viewers:
            viewer.start()
        for viewer in viewers:
            viewer.join(20)
    assert len(seen) == 2
    for received in seen.values():
        assert received[-1][0] - received[0][0] == pytest.approx(3.0, abs=0.9)
        assert all(data["groups"]["twitter"]["total"] == 30 for _, data in received)
    assert set(counts.asked) == {("15m", "source")}
    assert 4 <= len(counts.asked) <= 6


def test_redis_away_is_said_and_does_not_end_the_program():
    settings = Settings(redis={"url": "redis://127.0.0.1:1/0", "timeout_seconds": 1})
    with serving(settings) as address:
        status, said = get(address + "sentiment")
        assert (status, said["status"]) == (503, 503)
        assert "Redis did not answer at redis://127.0.0.1:1" in said["detail"]
        (_, first), (_, second) = events(address + "stream", 2)
        assert first["status"] == second["status"] == 503


@contextlib.contextmanager
def program(*arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NIFOS_")}
    with subprocess.Popen(
        [sys.executable, "-m", "nifos_stream", "web", *arguments],
        env={**kept, "NIFOS_LOGS__FORMAT": "json", **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_the_program_serves_until_sigterm_and_then_ends_well():
    with program("--port", "0", NIFOS_REDIS__URL="redis://127.0.0.1:1/0") as running:
        address = re.search(r'"url": "(http[^"]+)"', running.stderr.readline())[1]
        assert get(f"{address}healthz") == (200, {"ok": True})
        with httpx2.stream("GET", f"{address}api/v1/stream", timeout=20) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            begun = time.monotonic()
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 0
            assert time.monotonic() - begun < 4
            assert "event: problem" in lines
        assert "Traceback" not in running.stderr.read()


def test_a_port_that_is_taken_and_a_missing_token_are_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match=f"cannot be opened at {listen}: Address already in use"):
            listening(listen)
        for arguments, sentence in (
            (["--listen", listen], f"The web port cannot be opened at {listen}"),
            (["--port", "0", "--listen", listen], "Give --port or --listen, not both."),
            (["--listen", "0.0.0.0:0"], "set a token that callers must show (NIFOS_WEB__TOKEN)"),
        ):
            with program(*arguments) as running:
                said = running.stderr.read()
                assert running.wait(20) == 2
                assert sentence in said
                assert len(said.splitlines()) == 1
