"""`counts` and `watch` on counts that the view made from a real topic."""

import datetime as dt
import io
import json

import pytest
from rich.console import Console

from nifos_stream.commands.counts import Question, counts
from nifos_stream.counters.reader import RedisAway
from nifos_stream.settings import Settings
from nifos_stream.watch.snapshot import open_counts
from nifos_stream.watch.terminal import watch
from tests.integration.counted import viewing
from tests.integration.kafka_tools import New, produce_all, wait_until
from tests.unit.commands.test_tail import value

LABELS = ("negative", "negative", "positive")


@pytest.fixture
def counted(make_settings):
    """30 posts of this minute, two of three negative, counted."""
    settings = make_settings(partitions=3)
    now = dt.datetime.now(dt.UTC).isoformat()
    records = [
        New(value(label=LABELS[n % 3], source="twitter", keywords=["산불"], created_at=now, labelled_at=now))
        for n in range(30)
    ]
    produce_all(settings.kafka.bootstrap_servers, settings.topics.sentiment, records)
    with viewing(settings), open_counts(settings) as reader:
        wait_until(lambda: reader.total().total.total == 30, what="30 posts are counted")
        wait_until(lambda: reader.freshness().behind_seconds is not None, what="the counts are level")
        yield settings


def said(settings, question, *, as_json):
    out = io.StringIO()
    counts(settings, question, as_json=as_json, out=Console(file=out, width=100))
    return out.getvalue()


def test_counts_are_printed_for_programs_and_people(counted):
    total = json.loads(said(counted, Question(total=True), as_json=True))
    assert (total["negative"], total["neutral"], total["positive"], total["total"]) == (20, 0, 10, 30)
    assert total["behind"] == 0
    window = json.loads(said(counted, Question(by="keyword", where=["source=twitter"]), as_json=True))
    assert window["groups"]["산불"]["total"] == 30
    table = said(counted, Question(by="source"), as_json=False)
    assert "30 posts   − 부정 20 (67%)" in table
    assert "Counts are " in table


def test_the_screen_is_printed_once_where_there_is_no_terminal(counted):
    out = io.StringIO()
    watch(counted, window="15m", console=Console(file=out, width=100))
    for part in (" 15m ", "30 posts", "twitter", "산불", "all 30 posts"):
        assert part in out.getvalue()


def test_no_redis_is_one_sentence():
    settings = Settings(redis={"url": "redis://127.0.0.1:1/0", "timeout_seconds": 1})
    for ask in (
        lambda: said(settings, Question(total=True), as_json=True),
        lambda: watch(settings, once=True),
    ):
        with pytest.raises(RedisAway, match=r"Redis did not answer at redis://127\.0\.0\.1:1"):
            ask()
