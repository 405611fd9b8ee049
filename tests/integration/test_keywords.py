"""The watch list on real Kafka: changed while workers run, kept without Redis, counted as keywords are."""

import datetime as dt
import json
import threading
import time
from contextlib import contextmanager

import pytest
import redis

from nifos_stream import kafka
from nifos_stream.commands import check
from nifos_stream.counters.reader import Counts
from nifos_stream.errors import UserError
from nifos_stream.keywords import topic_list
from nifos_stream.keywords.watch_list import WatchList
from nifos_stream.messages import Post
from nifos_stream.metrics import Metrics
from tests.integration import kafka_tools as tools
from tests.integration.stages import running
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir

SOON_SECONDS = 2.0


def add(settings, *words, compounds=False):
    return topic_list.add(settings, words, compounds=compounds, utcnow=lambda: dt.datetime.now(dt.UTC))


def spellings(settings):
    return set(topic_list.read(settings))


def produce(settings, *texts, **more):
    posts = [
        json.dumps({"id": str(number), "text": text, **more}, ensure_ascii=False).encode()
        for number, text in enumerate(texts)
    ]
    tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, posts)


def matched(settings):
    """What was found in each text that was labelled."""
    records = tools.read_all(settings.kafka.bootstrap_servers, settings.topics.sentiment)
    events = [json.loads(record.value) for record in records]
    return {event["text"]: event["matched_keywords"] for event in events}


@contextmanager
def watching(settings):
    with WatchList(settings, Metrics(), retry_seconds=0.2) as watch_list:
        watch_list.wait(15)
        yield watch_list


def finds(watch_list, text):
    return list(watch_list.matched(Post(id="1", text=text)))


def seconds_until(condition, timeout_seconds=20):
    began_at = time.monotonic()
    tools.wait_until(condition, timeout_seconds, every_seconds=0.02)
    return time.monotonic() - began_at


def test_a_word_is_found_from_when_it_is_added_until_it_is_removed(make_settings):
    settings = make_settings(partitions=2)
    with watching(settings) as watch_list, running(settings, matched_keywords=watch_list.matched) as worker:
        produce(settings, "산불이 났어요")
        worker.wait_idle()
        add(settings, "산불", "국립 공원")
        assert seconds_until(lambda: finds(watch_list, "국립공원 산불은")) < SOON_SECONDS
        produce(settings, "산불은 무서워요", "재산불법 취득", "국립공원에서", title="오늘의 산불")
        worker.wait_idle()
        topic_list.remove(settings, ["산불"])
        assert seconds_until(lambda: not finds(watch_list, "산불은")) < SOON_SECONDS
        produce(settings, "산불을 막자")
        worker.wait_idle()
    assert matched(settings) == {
        "산불이 났어요": [],
        "산불은 무서워요": ["산불"],
        "재산불법 취득": ["산불"],
        "국립공원에서": ["산불", "국립 공원"],
        "산불을 막자": [],
    }


def test_added_again_a_word_keeps_its_spelling_and_date_and_takes_the_new_option(make_settings):
    settings = make_settings()
    first = add(settings, "KTX")[0]
    again = add(settings, "ktx", compounds=True)[0]
    assert (first.was_there, again.was_there) == (False, True)
    assert again.word.spelling == "KTX"
    found = topic_list.read(settings)["KTX"]
    assert found.compounds
    assert abs(found.added_at - first.word.added_at) < dt.timedelta(seconds=1)
    assert [each.was_there for each in topic_list.remove(settings, ["ktx", "산불"])] == [True, False]
    assert spellings(settings) == set()


def test_words_that_many_people_add_at_once_are_all_there(make_settings):
    settings = make_settings()
    groups = [[f"낱말{group * 15 + number}" for number in range(20)] for group in range(8)]
    threads = [threading.Thread(target=add, args=(settings, *group)) for group in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spellings(settings) == {word for group in groups for word in group}
    with watching(settings) as watch_list:
        assert finds(watch_list, "낱말0 낱말124") == ["낱말0", "낱말124"]


def test_a_topic_that_comes_later_is_read_then(make_settings):
    settings = make_settings(partitions=1)
    bootstrap, topic = settings.kafka.bootstrap_servers, settings.topics.keywords
    tools.delete_topic(bootstrap, topic)
    admin = tools.admin(bootstrap)
    tools.wait_until(lambda: topic not in kafka.topic_facts(admin, [topic]), what="the topic is gone")
    with pytest.raises(UserError, match="does not exist"):
        add(settings, "산불")
    assert "does not exist" in check._watch_list(settings)
    with watching(settings) as watch_list, running(settings, matched_keywords=watch_list.matched) as worker:
        produce(settings, "산불이 났어요")
        worker.wait_idle()
        tools.create_topic(bootstrap, topic, 1, {"cleanup.policy": "compact"})
        add(settings, "산불")
        tools.wait_until(lambda: finds(watch_list, "산불은"), 20)
    assert matched(settings) == {"산불이 났어요": []}


@pytest.mark.parametrize("later", [["숲길"], ["숲길", "등산", "국립 공원"]], ids=["shorter", "longer"])
def test_a_topic_that_was_made_anew_under_a_worker_is_read_from_its_beginning(make_settings, later):
    """Whether or not its offsets reach as far as those of the old one did."""
    settings = make_settings(partitions=1)
    bootstrap, topic = settings.kafka.bootstrap_servers, settings.topics.keywords
    add(settings, "산불", "캠핑")
    with watching(settings) as watch_list:
        assert finds(watch_list, "산불 숲길") == ["산불"]
        tools.delete_topic(bootstrap, topic)
        admin = tools.admin(bootstrap)
        tools.wait_until(lambda: topic not in kafka.topic_facts(admin, [topic]), what="the topic is gone")
        tools.create_topic(bootstrap, topic, 1, {"cleanup.policy": "compact"})
        add(settings, *later)
        tools.wait_until(lambda: finds(watch_list, "산불 숲길") == ["숲길"], 40)


def test_a_topic_that_forgets_is_refused(make_settings):
    settings = make_settings()
    topics = settings.topics.model_copy(update={"keywords": settings.topics.alerts})
    forgetful = settings.model_copy(update={"topics": topics})
    with pytest.raises(UserError, match=r"needs cleanup\.policy=compact"):
        add(forgetful, "산불")
    with pytest.raises(UserError, match=r"needs cleanup\.policy=compact"):
        check._watch_list(forgetful)


@pytest.mark.timeout(600)
def test_the_list_outlives_workers_and_redis_and_its_words_are_counted(own_stack, make_settings, tmp_path):
    """A word that a post brought and that was found in it counts once; an emptied Redis is counted again."""
    settings = make_settings(partitions=2, on=own_stack)
    model = make_model_dir(tmp_path / "model")
    add(settings, "산불", "숲길")
    worker = WorkerProcess(settings, model)
    counts = Counts(own_stack.redis_url, prefix=settings.counters.prefix)
    produce(settings, "산불이", "숲길은", "산불과 숲길", keywords=["산불"])

    def by_keyword():
        return {word: count.total for word, count in counts.total("keyword").groups.items()}

    def counted(**expected):
        tools.wait_until(lambda: _answer(by_keyword) == expected, 120, what=f"{expected} are counted")

    try:
        counted(산불=3, 숲길=2)
        with redis.Redis.from_url(own_stack.redis_url) as client:
            client.flushall()
        counted(산불=3, 숲길=2)
        worker.stop()
        worker = WorkerProcess(settings, model)
        produce(settings, "숲길에서", "등산")
        counted(산불=3, 숲길=3)
        worker.stop()
    finally:
        counts.close()
        worker.exit(9)


def _answer(ask):
    try:
        return ask()
    except Exception:  # noqa: BLE001 - of an emptied Redis; the wait says what was missing
        return None
