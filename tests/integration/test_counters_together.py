"""Several questions at one moment: equal to each alone, in one round trip, on every kind of Redis."""

import random
from types import SimpleNamespace

import pytest

from nifos_stream.counters.reader import ALL_TIME, Ask, Counts, When
from nifos_stream.counters.rules import Rules
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from tests.integration.test_counters_store import (  # noqa: F401 - fixtures
    TOPIC,
    batch,
    client,
    event,
    now_of,
    offered,
    post,
    store,
)

PARTITIONS = 3


@pytest.fixture
def rules():
    return Rules.of(Settings())


@pytest.fixture
def filled(store, client, redis_url):  # noqa: F811
    """300 posts of the last hour, and a reader."""
    rng, now = random.Random(5), int(now_of(client))
    store.note_topic(TOPIC, PARTITIONS)
    for partition in range(PARTITIONS):
        events = [
            event(now - rng.randrange(3600), rng.choice("abc"), rng.randrange(3), "sns", (rng.choice("xy"),))
            for _ in range(100)
        ]
        store.open(partition, TOPIC, 0, 100)
        store.apply(partition, 1, TOPIC, batch(store, 0, 100, *events))
        store.sample(partition, TOPIC, 100, 0)
    with Counts(redis_url, prefix="t") as counts:
        yield SimpleNamespace(counts=counts, store=store, now=now)


def round_trips(counts, monkeypatch):
    """The number of commands of every pipeline that is sent from now on."""
    sent, connected = [], counts._line.client
    make = connected.pipeline

    def pipeline(*given, **named):
        made = make(*given, **named)
        send = made.execute

        def execute(*args, **kwargs):
            sent.append(len(made))
            return send(*args, **kwargs)

        made.execute = execute
        return made

    monkeypatch.setattr(connected, "pipeline", pipeline)
    return sent


ASKS = [
    Ask(HOUR := When(compared=True)),
    Ask(When(before=True)),
    Ask(When("1m")),
    Ask(ALL_TIME),
    Ask(HOUR, "source", {"keyword": "x"}),
    Ask(HOUR, "keyword", {"source": "a"}),
]


def test_several_answers_are_those_that_each_question_has_alone(filled):
    counts = filled.counts
    short_asks = [Ask(When("5m", compared=True)), Ask(When("5m", before=True))]
    answers = counts.together([*ASKS, Ask(When("24h"), by="channel"), *short_asks]).answers
    window, before, _, total, by_source, by_keyword, day, short, short_before = answers
    assert window.total.total == total.total.total == day.total.total == 300
    # Two hours ago there may be nothing finer than minutes.
    for one, earlier, grain in ((window, before, "1m"), (short, short_before, "10s")):
        assert one.grain == earlier.grain == grain
        assert earlier.end == one.start
        assert earlier.end - earlier.start == one.end - one.start
    same = {"start": window.start, "end": window.end}
    assert by_source.groups == counts.window(by="source", where={"keyword": "x"}, **same).groups
    assert by_keyword.groups == counts.window(by="keyword", where={"source": "a"}, **same).groups
    assert by_source.groups["a"] == by_keyword.groups["x"]
    assert day.groups == counts.window("24h", by="channel").groups
    assert sum(group.total for group in by_source.groups.values()) == by_source.total.total


def test_however_many_they_are_it_is_one_round_trip_once_it_is_known_what_is_counted(filled, monkeypatch):
    sent = round_trips(filled.counts, monkeypatch)
    filled.counts.together(ASKS)
    first = len(sent)
    for _ in range(3):
        filled.counts.together(ASKS)
    assert len(sent) == first + 3
    # The number of partitions, the backlog, and of each partition its state and, in two calls, its counts.
    assert sent[first:] == [2 + 3 * PARTITIONS] * 3
    filled.counts.window("5m", by="source")
    assert len(sent) == first + 4


def test_posts_are_read_in_one_round_trip_too(filled, monkeypatch):
    counts, store = filled.counts, filled.store  # noqa: F811
    for partition in range(PARTITIONS):
        posts = [post(filled.now, 10 * partition + number) for number in range(10)]
        for each in posts:
            each.parts.update({"model": {"revision": "r"}, "labelled_at": "2026-05-01T09:00:00+09:00"})
        store.apply(partition, 1, TOPIC, offered(store, *posts, partition=partition, start=100))
    latest, sample = counts.latest(limit=20), counts.sample("2h")
    assert (len(latest.posts), len(sample.posts)) == (20, 30)
    sent = round_trips(counts, monkeypatch)
    assert counts.latest(limit=20).posts == latest.posts
    assert counts.sample("2h").posts == sample.posts
    # The number of partitions, the backlog, and of each partition its state and its posts.
    assert sent == [2 + 2 * PARTITIONS] * 2


def test_trends_are_the_series_of_each_value(filled):
    (answer,) = filled.counts.together([Ask(by="source", trends=["a", "c", "nobody"])]).answers
    for value in ("a", "c"):
        series = filled.counts.window(where={"source": value}).series
        assert list(answer.trends[value]) == [point.count.total for point in series]
    assert set(answer.trends["nobody"]) == {0}


def test_what_cannot_be_answered_takes_nothing_from_the_rest(filled):
    refused, window = filled.counts.together([Ask(by="source", where={"channel": "sns"}), Ask()]).answers
    assert isinstance(refused, UserError)
    assert window.total.total == 300


def test_a_generation_named_and_a_partition_added_since_the_last_read_are_seen(filled):
    counts, store = filled.counts, filled.store  # noqa: F811
    assert counts.window().total.total == 300
    store.open(0, TOPIC, 0, 100, "rebuild")
    store.apply(0, 2, TOPIC, batch(store, 0, 100, event(filled.now)), rebuilding=True)
    assert store.name(0, 2) is None
    assert counts.window().total.total == 201
    store.note_topic(TOPIC, PARTITIONS + 1)
    store.open(PARTITIONS, TOPIC, 0, 9)
    store.apply(PARTITIONS, 1, TOPIC, batch(store, 0, 9, event(filled.now)))
    assert counts.window().total.total == 202


def test_scripts_that_redis_forgot_are_sent_again(filled):
    assert filled.counts.window().total.total == 300
    filled.store.client.script_flush()
    assert filled.counts.window().total.total == 300


@pytest.mark.usefixtures("filled")
def test_a_clock_that_jumped_is_noticed(redis_url):
    """As after a failover to another machine: windows end now by the clock of the counts."""
    monotonic = [0.0]
    with Counts(redis_url, prefix="t", monotonic=lambda: monotonic[0]) as counts:
        before = counts.window("5m").end
        monotonic[0] = 10_000.0
        assert (counts.window("5m").end - before).total_seconds() < 60
