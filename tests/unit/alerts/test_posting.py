"""A post ends in time, and so does the process, though a name is looked up for ever."""

import socket
import subprocess
import sys
import threading
import time

import pytest

from nifos_stream.alerts import posting
from nifos_stream.alerts.posting import NoAnswer, post
from tests.unit.alerts.receiving import receiving

HANGS = """
import socket, threading, time

from nifos_stream.alerts.posting import NoAnswer, post

socket.getaddrinfo = lambda *_, **__: time.sleep(60)
try:
    post("http://name.invalid/", b"", {}, seconds=0.2, stop=threading.Event())
except NoAnswer as error:
    print(error, flush=True)
"""


def posted(url, stop=None, seconds=10.0):
    return post(url, b"{}", {}, seconds=seconds, stop=stop or threading.Event())


def test_a_process_ends_at_once_though_a_look_up_hangs():
    with subprocess.Popen([sys.executable, "-c", HANGS], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "no answer within 0.2 s\n"
            given_up_at = time.monotonic()
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert time.monotonic() - given_up_at < 5


def test_a_look_up_that_hangs_is_left_when_the_worker_ends(monkeypatch):
    answers, stop = threading.Event(), threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.wait(60))
    monkeypatch.setattr(posting, "STOP_SECONDS", 0.1)
    stop.set()
    begun_at = time.monotonic()
    with pytest.raises(NoAnswer, match="the worker ends"):
        posted("http://name.invalid/", stop, seconds=60.0)
    assert time.monotonic() - begun_at < 5
    # What it finds afterwards is nobody's.
    (look_up,) = (thread for thread in threading.enumerate() if thread.name == "look-up")
    answers.set()
    look_up.join(5)
    assert not look_up.is_alive()


def test_a_name_is_looked_up():
    with receiving((200, {})) as (url, received):
        assert posted(url.replace("127.0.0.1", "localhost")).status == 200
    assert len(received) == 1


def test_a_name_that_is_not_there_is_no_answer(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NoAnswer, match="ConnectError"):
        posted("http://name.invalid/")
