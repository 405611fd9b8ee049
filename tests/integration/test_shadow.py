"""Workers that try a second model on real Kafka and Redis: what the report says, and that nobody notices."""

import json
import random
import re
import subprocess
import sys

import pytest

from nifos_stream.model import Reading, load_model
from nifos_stream.settings import ModelSettings
from nifos_stream.shadow.sampling import is_chosen
from tests.integration import kafka_tools as tools
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir

POSTS = 600
SHARE = 0.5
# Each text alone in its pass: what stands beside it cannot change its last digit.
EXACT = {"chunk_tokens": 1, "dtype": "fp32", "device": "cpu"}
LABELS = ("negative", "neutral", "positive")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two models that see the same and name it the other way round, so that only neutral texts agree."""
    folder = tmp_path_factory.mktemp("models")
    # Random weights of this shape and seed say each of the labels of some of the texts below.
    shape = {"hidden": 32, "layers": 2, "seed": 2}
    turned = {"name": "other", "labels": ["positive", "neutral", "negative"], "temperature": 1.5}
    return make_model_dir(folder / "first", **shape), make_model_dir(folder / "other", **shape, **turned)


@pytest.fixture
def settings(make_settings):
    return make_settings(partitions=4, model=EXACT, shadow={"share": SHARE})


def produce(settings, count=POSTS):
    rng = random.Random(7)
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4, 28)]
    records = []
    for number in range(count):
        words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(rng.randint(1, 8))]
        value = json.dumps({"id": str(number), "text": " ".join(words)}, ensure_ascii=False).encode()
        records.append(tools.New(value, key=f"k{number % 50}".encode(), headers=(("h", b"1"),)))
    tools.produce_all(settings.kafka.bootstrap_servers, settings.topics.posts, records)


def events(settings):
    return tools.read_all(settings.kafka.bootstrap_servers, settings.topics.sentiment)


def lag(settings):
    return tools.lag(settings.kafka.bootstrap_servers, settings.stream.group_id, settings.topics.posts)


def reported(settings):
    """What `shadow report` says in a process of its own."""
    asked = [sys.executable, "-m", "nifos_stream", "shadow", "report", "--json"]
    done = subprocess.run(
        asked, env=tools.environment(settings), capture_output=True, text=True, encoding="utf-8", check=True
    )
    return json.loads(done.stdout)


def expected(settings, other):
    """An oracle: the labelled topic, and the other model on the sample of it."""
    sample = []
    for record in events(settings):
        event = json.loads(record.value)
        origin = event["origin"]
        if is_chosen(origin["topic"], origin["partition"], origin["offset"], SHARE):
            sample.append(event)
    readings = load_model(other, settings=ModelSettings(**EXACT)).classify(
        [event["text"] for event in sample]
    )
    shift = {old: dict.fromkeys(LABELS, 0) for old in LABELS}
    difference = 0.0
    for event, reading in zip(sample, readings, strict=True):
        assert isinstance(reading, Reading)
        said = event["sentiment"]
        shift[said["label"]][reading.label] += 1
        pairs = zip(said["probabilities"].values(), reading.probabilities, strict=True)
        difference += sum(abs(new - old) for old, new in pairs) / 3
    return shift, difference / len(sample)


def test_the_report_of_two_workers_says_what_an_oracle_does_and_the_stream_is_the_same_without(
    models, settings, make_settings
):
    first, other = models
    workers = [
        WorkerProcess(settings, first, role="classify", extra=("--shadow", str(other))) for _ in range(2)
    ]
    try:
        tools.wait_until(lambda: all(worker.owned for worker in workers), timeout_seconds=120)
        produce(settings)
        tools.wait_until(lambda: lag(settings) == 0, timeout_seconds=120)
        shift, difference = expected(settings, other)
        texts = sum(sum(row.values()) for row in shift.values())
        tools.wait_until(lambda: [one["texts"] for one in reported(settings)] == [texts], timeout_seconds=60)
        for worker in workers:
            worker.stop()
    finally:
        for worker in workers:
            if worker.alive:
                worker.exit(9)
    assert all(worker.committed for worker in workers)

    (found,) = reported(settings)
    assert found["shift"] == shift
    assert found["agreement"] == sum(shift[label][label] for label in LABELS) / texts
    assert 0 < found["agreement"] < 1
    assert shift["negative"]["positive"] > 0 == shift["negative"]["negative"]
    assert found["mean_difference"] == pytest.approx(difference, abs=1e-9)
    assert (found["dropped"], found["unread"], found["shadow"]["name"]) == (0, 0, "other")
    assert found["cost"] > 0
    assert 0.4 * POSTS < texts < 0.6 * POSTS

    alone = make_settings(partitions=4, model=EXACT)
    topics = alone.topics.model_copy(update={"posts": settings.topics.posts})
    alone = alone.model_copy(update={"topics": topics})
    worker = WorkerProcess(alone, first, role="classify", extra=("--until-idle", "1"))
    assert worker.wait() == 0, worker.tail()
    assert [undated(record) for record in events(settings)] == [undated(record) for record in events(alone)]


def undated(record):
    value, dates = re.subn(rb'"labelled_at":"[^"]*"', b"", record.value)
    assert dates == 1
    return record.partition, record.key, record.headers, value


def test_a_second_model_that_cannot_be_read_ends_nothing(models, settings, tmp_path):
    broken = tmp_path / "broken"
    make_model_dir(broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    produce(settings)
    worker = WorkerProcess(
        settings, models[0], role="classify", extra=("--shadow", str(broken), "--until-idle", "1")
    )
    assert worker.wait() == 0, worker.tail()
    assert worker.saw("shadow.failed")
    assert len(events(settings)) == POSTS
    assert reported(settings) == []


def test_a_second_model_that_does_not_exist_is_said_before_anything_is_read(models, settings, tmp_path):
    produce(settings, 5)
    worker = WorkerProcess(
        settings, models[0], role="classify", extra=("--shadow", str(tmp_path / "nowhere"))
    )
    assert worker.wait() == 2
    assert "does not exist" in worker.tail()
    assert events(settings) == []
