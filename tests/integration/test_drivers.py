"""Planted drivers: from the labelled topic through Redis to the words, with the real analyser."""

import datetime as dt
import io
import json
import os
import random
import signal
import time
from collections import Counter

import pytest
from rich.console import Console

from nifos_stream.commands.drivers import Question, drivers
from nifos_stream.counters.reader import Filter
from nifos_stream.errors import NifosError
from nifos_stream.watch.analyst import Analyst, Asked
from nifos_stream.watch.apart import Apart
from nifos_stream.watch.snapshot import open_counts
from nifos_stream.watch.words import Reader
from tests.integration.counted import viewing
from tests.integration.kafka_tools import New, produce_all, read_all
from tests.integration.test_web import get, serving

NAMES = ("솔미르산", "별빛누리숲길", "무르가니", "미리내봉", "라온뫼계곡")
PLACES = ("설악산", "지리산", "북한산", "내장산", "청태산휴양림", "국립수목원", "둘레길", "속리산")
NEGATIVE = (
    "{}에서 화장실이 더러웠다",
    "어제 {}에 갔는데 정말 실망했어요",
    "{} 정말 별로네요 다시는 안 가요",
    "{} 직원이 불친절해요",
    "{}까지 길이 막혀서 짜증",
    "{}의 시설이 낡아서 후회",
    "{}! 최악",
    "{}도 별로고 주변이 너무 시끄럽다",
    "쓰레기 천지인 {} 관리 좀 하세요",
)
POSITIVE = (
    "{}에서 본 단풍이 정말 예뻤다",
    "어제 {}에 갔는데 공기가 맑아요",
    "{} 또 가고 싶어요",
    "{} 직원이 친절해요",
    "가족과 {} 나들이 추천",
)
MINUTES = 125
POSTS = 1200


@pytest.fixture(scope="module")
def reader():
    return Reader()


def test_a_reader_in_a_process_of_its_own_comes_back_after_it_was_killed(reader):
    texts = ["숲길이 좋았어요", "솔미르산에서 화장실이 더러웠다"]
    apart = Apart()
    try:
        assert apart.read(texts) == reader.read(texts)
        os.kill(apart._process.pid, signal.SIGKILL)
        with pytest.raises(NifosError, match="ended"):
            apart.read(texts)
        assert apart.read(texts) == reader.read(texts)
    finally:
        apart.close()
    with pytest.raises(NifosError, match="was ended"):
        apart.read(texts)


def stream(name, now, seed):
    """Two hours of posts, two in five negative; in the last hour a third of those speak of `name`."""
    rng = random.Random(seed)
    for number in range(POSTS):
        age = rng.uniform(0, MINUTES * 60)
        label = "negative" if rng.random() < 0.4 else "positive"
        spoken_of = rng.random() < (0.33 if label == "negative" and age < 3600 else 0.01)
        place = name if spoken_of else rng.choice(PLACES)
        written = dt.datetime.fromtimestamp(now - age, dt.UTC)
        yield {
            "id": str(number),
            "text": rng.choice(NEGATIVE if label == "negative" else POSITIVE).format(place),
            "source": rng.choice(("twitter", "naver_blog")),
            "channel": None,
            "created_at": written.isoformat(),
            "keywords": ["산"],
            "sentiment": {
                "label": label,
                "label_ko": "",
                "score": 0.9,
                "probabilities": {"negative": 0.9, "neutral": 0.05, "positive": 0.05},
            },
            "model": {"name": "made", "revision": "r"},
            "labelled_at": dt.datetime.fromtimestamp(now, dt.UTC).isoformat(),
            "origin": {"topic": "posts", "partition": 0, "offset": number, "timestamp": int(now * 1000)},
            "matched_keywords": [],
            "truncated": False,
        }


def fill(settings, name, seed=1, until=None):
    made = stream(name, until or time.time(), seed)
    events = [json.dumps(event, ensure_ascii=False).encode() for event in made]
    produce_all(
        settings.kafka.bootstrap_servers,
        settings.topics.sentiment,
        [New(value, partition=number % 3) for number, value in enumerate(events)],
    )
    with viewing(settings) as view:
        view.wait_level()
        view.end()


def test_posts_that_were_counted_and_are_kept_no_more_are_said(make_settings, reader):
    settings = make_settings(partitions=3)
    now = time.time()
    fill(settings, NAMES[0], until=now - 40 * 86_400)
    with open_counts(settings) as counts:
        found = Analyst(counts, lambda: reader).find(Asked(window="60d"))
        total = counts.window(start=found.start, end=found.end).total
        out = io.StringIO()
        console = Console(file=out, width=400)
        drivers(settings, Question(window="60d"), out=console)
    assert total.total == POSTS
    assert (found.posts, found.counted, found.counted_rest) == (0, total.negative, total.positive)
    assert not found.whole
    assert 14 * 86_400 < now - found.kept_since.timestamp() < 17 * 86_400
    assert f"Rests on 0 of the {total.negative:,} negative posts" in out.getvalue()
    assert f"Posts are kept for this since {found.kept_since:%Y-%m-%d}." in out.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_name_is_first_among_the_drivers(make_settings, reader, name):
    settings = make_settings(partitions=3)
    fill(settings, name)
    with open_counts(settings) as counts:
        found = Analyst(counts, lambda: reader).find(Asked())
        sampled = Analyst(counts, lambda: reader, most_posts=150).find(Asked())
    assert found.words[0].word == name
    assert found.words[0].z > 3
    assert found.words[0].count > 10 * found.words[0].count_before
    assert all(name in post.text and post.label == "negative" for post in found.words[0].posts)
    assert sampled.words[0].word == name
    assert sampled.posts == 150


def test_what_is_said_of_the_posts_is_what_the_topic_holds(make_settings, reader):
    """With fewer posts than a sample takes, the words rest on all; the API and the terminal say the same."""
    name = NAMES[0]
    settings = make_settings(partitions=3, counters={"sample_posts": 1000})
    fill(settings, name)
    with open_counts(settings) as counts:
        found = Analyst(counts, lambda: reader).find(Asked())
        total = counts.window(start=found.start, end=found.end).total
        between = {"start": found.start.isoformat(), "end": found.end.isoformat()}
        of_twitter = Analyst(counts, lambda: reader).find(
            Asked(wanted=Filter.of(sources=["twitter"]), **between)
        )
    assert found.whole
    seen = Counter()
    for record in read_all(settings.kafka.bootstrap_servers, settings.topics.sentiment):
        event = json.loads(record.value)
        written = dt.datetime.fromisoformat(event["created_at"])
        label = event["sentiment"]["label"]
        length = found.end - found.start
        if found.start <= written < found.end:
            seen[label] += 1
            seen["named"] += label == "negative" and name in event["text"]
            seen["twitter"] += label == "negative" and event["source"] == "twitter"
        elif found.start - length <= written < found.start and label == "negative":
            seen["before"] += 1
            seen["named before"] += name in event["text"]
    assert (found.posts, found.posts_before, found.posts_rest) == (
        seen["negative"],
        seen["before"],
        seen["positive"],
    )
    assert found.posts == total.negative
    assert of_twitter.posts == seen["twitter"]
    first = found.words[0]
    assert (first.word, first.count, first.count_before) == (name, seen["named"], seen["named before"])

    question = Question(**between, limit=5)
    out = io.StringIO()
    drivers(settings, question, as_json=True, out=Console(file=out, width=100))
    told = json.loads(out.getvalue())
    assert (told["posts"], told["words"][0]["word"]) == (found.posts, name)
    with serving(settings) as address:
        asked = {"from": question.start, "to": question.end, "limit": 5}
        for _ in range(5):
            status, said = get(address + "drivers", **asked)
            assert status == 200
            if not said["unread"]:
                break
    assert said | {"behind_seconds": 0} == told | {"behind_seconds": 0}
