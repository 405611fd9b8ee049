"""A second model that agrees, fails, is slow, or has no Redis; the thread that publishes never notices."""

import threading
import time

import pytest

from nifos_stream.metrics import Metrics
from nifos_stream.model.reading import ModelInfo
from nifos_stream.shadow import stage as stage_module
from nifos_stream.shadow.sampling import is_chosen
from nifos_stream.shadow.stage import ShadowStage
from nifos_stream.stream.lanes import Job
from tests.unit.shadow.fakes import FakeLedger
from tests.unit.stream.fakes import FakeClassifier, bad_row, batch, read, row

FIRST = ModelInfo("first", "0123456789ab", 60)
TEXTS = ["정말 좋아요", "별로예요", "그저 그래요", "NaN"]


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)


def job(count=40, start=0):
    texts = [TEXTS[number % len(TEXTS)] for number in range(count)]
    rows = [row(start + number, text=text) for number, text in enumerate(texts)]
    return Job(batch(*rows, bad_row(start + count)), texts, [read(text) for text in texts], count * 0.001)


class World:
    def __init__(self, classifier=None, share=1.0, load=None):
        self.classifier = classifier or FakeClassifier()
        self.ledger = FakeLedger()
        self.metrics = Metrics()
        self.stage = ShadowStage(
            load or (lambda: self.classifier), FIRST, self.ledger, self.metrics, share=share
        )
        self.stop = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            self.stage.run(self.stop)
        except BaseException as failure:  # noqa: BLE001 - a test looks at it
            self.failure = failure

    def end(self):
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()
        assert self.failure is None

    def value(self, name, **labels):
        return self.metrics.registry.get_sample_value(f"nifos_shadow_{name}", labels) or 0.0


@pytest.fixture
def world():
    worlds = []

    def make(**how):
        worlds.append(World(**how))
        return worlds[-1]

    yield make
    for each in worlds:
        each.end()


def test_a_published_batch_is_read_again_and_compared(world):
    running = world()
    running.stage.observe(job(), {0})
    until(lambda: running.stage.idle_seconds() > 0)
    running.end()
    assert running.classifier.stats.texts == 30, "what the first model could not read is not read again"
    assert running.ledger.pairs == {("0123456789ab", running.classifier.info.revision)}
    assert running.ledger.numbers["said:positive:positive"] == 10
    assert running.ledger.numbers["difference"] == 0
    assert running.ledger.numbers["first:texts"] == 40
    assert running.ledger.numbers["shadow:texts"] == 30
    assert running.value("texts_total", first="negative", shadow="negative") == 10
    assert running.value("cost_seconds_total", model="first") == pytest.approx(0.04)


def test_the_sample_is_the_share_of_what_was_published(world):
    running = world(share=0.3)
    running.stage.observe(job(200), {0})
    running.stage.observe(job(200, start=300), {1})
    until(lambda: running.stage.idle_seconds() > 0)
    running.end()
    chosen = [n for n in range(200) if n % 4 != 3 and is_chosen("posts", 0, n, 0.3)]
    assert running.ledger.numbers["shadow:texts"] == len(chosen) > 0


def test_a_text_that_the_second_model_cannot_read_is_counted(world):
    classifier = FakeClassifier()
    classifier.finish = lambda begun: [read("NaN") for _ in begun]
    running = world(classifier=classifier)
    running.stage.observe(job(), {0})
    until(lambda: running.value("unread_total") == 30)


def test_a_slow_second_model_drops_and_holds_nobody_up(world, monkeypatch):
    monkeypatch.setattr(stage_module, "MOST_TEXTS", 50)
    go_on = threading.Event()
    classifier = FakeClassifier()
    finish = classifier.finish
    classifier.finish = lambda begun: go_on.wait(10) and finish(begun)
    running = world(classifier=classifier)
    begun_at = time.monotonic()
    for number in range(20):
        running.stage.observe(job(start=100 * number), {0})
    assert time.monotonic() - begun_at < 1
    assert running.stage.idle_seconds() == 0
    dropped = running.value("dropped_total")
    assert dropped >= 600 - 50 - stage_module.TEXTS_PER_PASS
    go_on.set()
    until(lambda: running.stage.idle_seconds() > 0)
    running.end()
    assert running.ledger.numbers["shadow:texts"] + running.ledger.numbers["dropped"] == 600
    assert running.ledger.numbers["dropped"] == dropped


@pytest.mark.parametrize("where", ["load", "prepare", "finish"])
def test_a_second_model_that_fails_turns_a_metric_and_nothing_else(world, where):
    classifier = FakeClassifier()

    def fails(*_):
        raise RuntimeError("no memory left")

    if where != "load":
        setattr(classifier, where, fails)
    running = world(classifier=classifier, load=fails if where == "load" else None)
    running.stage.observe(job(), {0})
    until(lambda: running.stage.health().detail.startswith("The second model failed: RuntimeError"))
    until(lambda: running.stage.idle_seconds() > 0)
    running.stage.observe(job(start=100), {0})
    until(lambda: running.value("dropped_total") == 60)
    assert running.value("up") == 0
    assert running.stage.health().ok
    assert running.stage.health().ready
    assert running.thread.is_alive()


def test_an_offer_that_fails_does_not_reach_the_thread_that_publishes(world):
    running = world()
    running.stage.observe(None, {0})
    assert "failed" in running.stage.health().detail


def test_numbers_are_kept_while_redis_is_away(world, monkeypatch):
    monkeypatch.setattr(stage_module, "WRITE_SECONDS", 0.0)
    monkeypatch.setattr(stage_module, "RETRY_SECONDS", 0.02)
    running = world()
    running.ledger.away = True
    running.stage.observe(job(), {0})
    until(lambda: running.ledger.attempts > 2)
    assert running.ledger.numbers == {}
    assert running.value("texts_total", first="positive", shadow="positive") == 10
    running.ledger.away = False
    until(lambda: running.ledger.numbers["said:positive:positive"] == 10)


def test_a_stop_leaves_what_waits_and_counts_it(world):
    running = world(classifier=FakeClassifier(seconds_per_text=0.001))
    for number in range(10):
        running.stage.observe(job(start=100 * number), {0})
    running.end()
    assert running.ledger.numbers["dropped"] > 0
    assert running.ledger.numbers["dropped"] + running.ledger.numbers["shadow:texts"] == 300
