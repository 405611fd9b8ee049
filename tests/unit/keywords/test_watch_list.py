"""A worker's watch list follows its topic, and keeps what it has when the topic is away."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from nifos_stream.errors import UserError
from nifos_stream.keywords import topic_list
from nifos_stream.keywords import watch_list as watch_list_module
from nifos_stream.keywords.watch_list import WatchList
from nifos_stream.keywords.word import Word
from nifos_stream.messages import Post
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings


class FakeMessage:
    def __init__(self, key, value=b"{}"):
        self._key, self._value = key.encode(), value

    def key(self):
        return self._key

    def value(self):
        return self._value

    def partition(self):
        return 0

    def offset(self):
        return 7


class FakeTopic:
    """Records so far and those to come; `missing` is how a reader fails, `gone` that it is another topic."""

    def __init__(self, *words):
        self.there = [FakeMessage(word) for word in words]
        self.to_come = []
        self.missing = None
        self.gone = False
        self.opened = 0

    def open(self):
        self.opened += 1
        if self.missing:
            raise UserError(self.missing)
        return self

    def begins(self):
        return {0: 0}

    def ends(self):
        return {0: len(self.there)}

    def between(self, lower, upper):
        yield from self.there[lower[0] : upper[0]]

    def follow(self, start):
        assert start == {0: len(self.there)}
        while True:
            time.sleep(0.002)
            if self.missing:
                raise UserError(self.missing)
            yield self.to_come.pop(0) if self.to_come else None

    def is_gone(self):
        return self.gone

    def close(self):
        pass


def watching(topic, metrics=None):
    return WatchList(Settings(), metrics or Metrics(), open_reader=topic.open, retry_seconds=0.01)


def matched(watch_list, text, title=None):
    return list(watch_list.matched(Post(id="1", text=text, title=title)))


def until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_whole_list_is_there_once_it_was_waited_for():
    with watching(FakeTopic("산불", "숲길")) as watch_list:
        watch_list.wait(5)
        assert matched(watch_list, "숲길이 좋아요", title="산불은") == ["산불", "숲길"]


def test_words_come_and_go_while_it_runs():
    topic = FakeTopic("산불")
    with watching(topic) as watch_list:
        watch_list.wait(5)
        topic.to_come += [FakeMessage("숲길"), FakeMessage("산불", None)]
        until(lambda: matched(watch_list, "산불 숲길") == ["숲길"])


def test_a_missing_topic_is_an_empty_list_with_one_line_of_log():
    topic, metrics = FakeTopic("산불"), Metrics()
    topic.missing = "Topic nifos.keywords does not exist."
    with capture_logs() as logs, watching(topic, metrics) as watch_list:
        watch_list.wait(5)
        assert matched(watch_list, "산불") == []
        until(lambda: topic.opened > 3)
        assert [line["detail"] for line in logs] == ["Topic nifos.keywords does not exist."]
        topic.missing = None
        until(lambda: matched(watch_list, "산불") == ["산불"])
    assert metrics.registry.get_sample_value("nifos_watch_words") == 1


def test_the_last_list_is_kept_while_the_topic_is_away():
    topic, metrics = FakeTopic("산불"), Metrics()
    with watching(topic, metrics) as watch_list:
        watch_list.wait(5)
        topic.missing = "Topic nifos.keywords cannot be read."
        until(lambda: metrics.registry.get_sample_value("nifos_watch_list_up") == 0)
        assert matched(watch_list, "산불") == ["산불"]


def test_a_topic_that_was_deleted_and_made_anew_is_read_from_its_beginning(monkeypatch):
    """Its records say nothing of the words that the old one held."""
    monkeypatch.setattr(watch_list_module, "_LOOK_SECONDS", 0.01)
    topic = FakeTopic("산불")
    with watching(topic) as watch_list:
        watch_list.wait(5)
        topic.there, topic.gone = [FakeMessage("숲길")], True
        until(lambda: matched(watch_list, "산불 숲길") == ["숲길"])


def test_waiting_has_an_end():
    hold = threading.Event()

    def slow():
        hold.wait(5)
        raise UserError("too late")

    with (
        capture_logs() as logs,
        WatchList(Settings(), Metrics(), open_reader=slow, retry_seconds=0.01) as watch_list,
    ):
        watch_list.wait(0.01)
        hold.set()
    assert logs[0]["event"] == "watch_list.delayed"


@pytest.mark.parametrize(("key", "value"), [(b"\xff", b"{}"), (None, b"{}")])
def test_a_record_that_is_no_word_changes_nothing(key, value):
    words = {"산불": Word("산불")}
    assert not topic_list.note(words, key, value)
    assert list(words) == ["산불"]


def test_a_list_has_an_end(monkeypatch):
    monkeypatch.setattr(topic_list, "MOST_WORDS", 2)
    words = {}
    taken = [topic_list.note(words, word.encode(), b"{}") for word in ("산불", "숲길", "산불", "등산")]
    assert taken == [True, True, True, False]
    assert topic_list.note(words, "산불".encode(), b"")
    assert list(words) == ["숲길"]
