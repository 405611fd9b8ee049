"""A webhook is told until it has heard, over real HTTP, and not for ever."""

import threading
import time

import pytest

from nifos_stream.alerts import message as messages
from nifos_stream.alerts.webhook import Parcel, Sender
from nifos_stream.settings.alerts import Webhook
from tests.unit.alerts.made import made_alert
from tests.unit.alerts.receiving import dripping, receiving

SECRET = "correct horse"


class Trying:
    """A sender with a clock that moves on to the next try at once."""

    def __init__(self, url, **webhook):
        self.seconds = 1000.0
        self.stop = threading.Event()
        self.webhook = Webhook(url=url, secret=SECRET, **{"timeout_seconds": 2.0} | webhook)
        self.parcel = Parcel("0:7", messages.body([made_alert()]), {0: 7}, self.seconds, self.seconds)
        self.waits = []

    def until_done(self, most=50):
        sender = Sender(
            self.webhook,
            self.stop,
            now=lambda: self.seconds,
            clock=lambda: 1_777_595_400,
            chance=lambda: 1.0,
        )
        for _ in range(most):
            end = sender.send(self.parcel)
            if end != "retried":
                return end
            self.waits.append(self.parcel.next_try_at - self.seconds)
            self.seconds = self.parcel.next_try_at
        raise AssertionError("it never ends")


def test_what_arrives_is_signed():
    with receiving((200, {})) as (url, received):
        trying = Trying(url)
        assert trying.until_done() == "delivered"
    ((headers, sent),) = received
    timestamp = headers["X-Nifos-Timestamp"]
    assert headers["X-Nifos-Signature"] == messages.signature(sent, SECRET, timestamp)
    assert sent == trying.parcel.body


def test_a_server_that_is_in_trouble_is_tried_again_with_growing_waits():
    with receiving((500, {}), (503, {}), (429, {}), (204, {})) as (url, received):
        trying = Trying(url)
        assert trying.until_done() == "delivered"
    assert trying.waits == [1.0, 2.0, 4.0]
    assert {headers["X-Nifos-Delivery"] for headers, _ in received} == {"0:7"}


def test_it_waits_as_long_as_it_is_asked_to_but_no_longer_than_it_would():
    with receiving((429, {"Retry-After": "30"}), (429, {"Retry-After": "9999"}), (200, {})) as (url, _):
        trying = Trying(url)
        assert trying.until_done() == "delivered"
    assert trying.waits == [30.0, 60.0]


@pytest.mark.parametrize("written", ["nan", "inf", "soon"])
def test_a_wait_that_is_no_number_is_not_waited_for(written):
    with receiving((429, {"Retry-After": written}), (200, {})) as (url, _):
        trying = Trying(url)
        assert trying.until_done() == "delivered"
    assert trying.waits == [1.0]


def test_nobody_there_is_given_up_after_the_stated_time():
    trying = Trying("http://127.0.0.1:9/hook", give_up_seconds=600)
    assert trying.until_done() == "given_up"
    assert 540 <= sum(trying.waits) <= 600
    assert max(trying.waits) == 60.0


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
def test_a_refusal_is_given_up_at_once(status):
    with receiving((status, {"Location": "http://127.0.0.1:9/"})) as (url, received):
        assert Trying(url).until_done() == "given_up"
    assert len(received) == 1


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-Padding: "


def test_a_server_that_drips_is_left_after_the_stated_time():
    with dripping(ANSWER + b"x" * 1000) as url:
        trying = Trying(url, timeout_seconds=0.5, give_up_seconds=1)
        begun_at = time.monotonic()
        assert trying.until_done() == "given_up"
    assert len(trying.waits) == 1
    assert 1.0 <= time.monotonic() - begun_at < 3.0


def test_once_the_status_is_there_nothing_more_is_waited_for():
    with dripping(b"x" * 1000, at_once=ANSWER + b"x\r\n\r\n") as url:
        begun_at = time.monotonic()
        assert Trying(url, timeout_seconds=60).until_done() == "delivered"
    assert time.monotonic() - begun_at < 2.0


@pytest.mark.parametrize("give_up_seconds", [0.001, 3600])
def test_a_worker_that_ends_leaves_a_server_that_drips_and_gives_nothing_up(give_up_seconds):
    with dripping(ANSWER + b"x" * 1000) as url:
        trying = Trying(url, timeout_seconds=60, give_up_seconds=give_up_seconds)
        timer = threading.Timer(0.2, trying.stop.set)
        timer.start()
        begun_at = time.monotonic()
        with pytest.raises(AssertionError):
            trying.until_done(most=1)
        timer.join()
    assert trying.waits == [1.0]
    assert time.monotonic() - begun_at < 2.5


def test_what_takes_little_longer_than_the_worker_is_waited_for():
    """Else the next worker would tell it again."""
    with receiving((200, {}), after_seconds=0.3) as (url, _):
        trying = Trying(url)
        trying.stop.set()
        assert trying.until_done() == "delivered"
