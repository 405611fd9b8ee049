"""The words of an alert's evidence, and how long they are waited for."""

import datetime as dt
import threading

import pytest

from nifos_stream.alerts.machine import Alert, Subject
from nifos_stream.errors import NifosError, UserError
from nifos_stream.messages import Label
from nifos_stream.watch.alert_words import AlertWords
from tests.unit.watch.made_counts import NOW, made_post
from tests.unit.watch.test_drivers import Sampled, SplitAtSpaces

END = int(NOW.timestamp())
ALERT = Alert(
    Subject("surge", "source", "twitter"), "negative_share", END, None, {"from": END - 3600, "to": END}
)


class Closing(Sampled):
    closed = False

    def close(self):
        self.closed = True


class Reader(SplitAtSpaces):
    closed = False

    def close(self):
        self.closed = True


class Stuck(Reader):
    """Reads until it is closed."""

    def __init__(self):
        self.ended = threading.Event()

    def read(self, texts):  # noqa: ARG002 - the signature of Reads
        self.ended.wait()
        raise NifosError("It was ended.")

    def close(self):
        self.ended.set()


def posts():
    for number in range(12):
        yield made_post(1 + number, "산사태 무섭다", source="twitter", label=Label.NEGATIVE)
        yield made_post(1 + number, "소풍 길", source="twitter", label=Label.POSITIVE, id=f"p{number}")
        yield made_post(61 + number, "무섭다 길", source="twitter", label=Label.NEGATIVE, id=f"b{number}")
        yield made_post(1 + number, "홍수", source="naver_blog", label=Label.NEGATIVE, id=f"o{number}")


def test_the_words_are_of_the_posts_that_made_it_begin_and_say_on_how_many_they_rest():
    counts, reader = Closing(*posts()), Reader()
    words = AlertWords(counts, lambda: reader)
    found = words.find(ALERT)
    assert (found["posts"], found["posts_before"], found["posts_rest"]) == (12, 12, 12)
    [word] = found["words"]
    assert (word["word"], word["count"], word["count_before"], word["count_rest"]) == ("산사태", 12, 0, 0)
    words.close()
    assert reader.closed
    assert counts.closed


def test_an_alert_waits_so_long_and_those_after_it_for_nothing_until_its_words_are_found():
    counts = Closing(*posts())
    words = AlertWords(counts, Stuck, seconds=0.05)
    with pytest.raises(UserError, match=r"not found within 0\.05 s"):
        words.find(ALERT)
    with pytest.raises(UserError, match="still looked for"):
        words.find(ALERT)
    words.close()
    assert counts.closed


def test_whoever_is_told_to_stop_waits_for_no_words():
    stop = threading.Event()
    stop.set()
    words = AlertWords(Closing(*posts()), Stuck, stop=stop)
    with pytest.raises(UserError, match="before the end"):
        words.find(ALERT)
    words.close()


def test_the_window_is_that_of_the_alert():
    words = AlertWords(Closing(*posts()), Reader)
    early = END - int(dt.timedelta(minutes=30).total_seconds())
    found = words.find(Alert(ALERT.subject, "negative", early, None, {"from": early - 1800, "to": early}))
    words.close()
    assert found["posts"] == 0
    assert found["words"] == []
