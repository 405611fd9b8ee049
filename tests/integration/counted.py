"""Labelled events for the counters' tests, and an oracle of the counts made from the topic by plain code.

Events(topic, partitions, seed)          random labelled events, foreign records, aborted transactions
expected(bootstrap, settings) -> {partition: {bucket name: {field: count}}}
found(client, settings) -> the same, as it lies in Redis for the generation that is read
assert_equal(bootstrap, client, settings)
viewing(settings, …)                     a CounterView in a thread
"""

import datetime as dt
import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import redis
from confluent_kafka import Producer

from nifos_stream.counters.view import CounterView
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from tests.integration.kafka_tools import _silent, read_all
from tests.integration.kept_posts import assert_kept

ASK_SECONDS = 2.5
LABELS = ("negative", "neutral", "positive")
SOURCES = ("twitter", "naver_blog", "인스타그램", "a:b*c%d", "Twitter", "")
KEYWORDS = ("산불", "등산로", "휴양림", "산:불", "100%")
FOREIGN = (b"\xff\xfe", b"[1, 2]", b'{"id": "1", "text": "no label"}', b"{", None)


def labelled(rng: random.Random, number: int, now: float, flood: float = 0.0) -> dict[str, Any]:
    """A labelled event; with the chance `flood` from a source that nobody else has."""
    label = rng.choice(LABELS)
    written: str | None = None
    if (age := rng.choice((0, 30, 600, 5000, 100_000, 3_000_000, 90_000_000, None))) is not None:
        moment = dt.datetime.fromtimestamp(now - rng.random() * age, dt.UTC)
        written = rng.choice((moment.isoformat(), moment.strftime("%Y-%m-%d"), moment.isoformat()[:19]))
    if rng.random() < 0.02:
        written = dt.datetime.fromtimestamp(now + 86_400, dt.UTC).isoformat()
    sentiment: dict[str, Any] = {"label": label, "label_ko": "", "score": 0.9, "probabilities": {}}
    if rng.random() < 0.3:
        some = [rng.choice((*LABELS, None)) for _ in range(rng.randrange(1, 6))]
        sentiment["sentences"] = [{"from": 0, "to": 1, "label": label} for label in some]
    return {
        "id": str(number),
        "text": "숲이 좋다",
        "source": f"made-up-{number}" if rng.random() < flood else rng.choice((*SOURCES, None)),
        "channel": rng.choice(("sns", "blog", None)),
        "created_at": written,
        "keywords": rng.choice((None, [], "산불", rng.sample(KEYWORDS, 2))),
        "sentiment": sentiment,
        "model": {"name": "tiny", "revision": rng.choice(("r1", "r2"))},
        "labelled_at": dt.datetime.fromtimestamp(now, dt.UTC).isoformat(),
        "origin": {"topic": "posts", "partition": 0, "offset": number, "timestamp": int(now * 1000)},
        "matched_keywords": rng.sample(KEYWORDS, rng.randrange(2)),
        "truncated": False,
    }


class Events:
    """Produces labelled events in transactions, one in five of which is aborted."""

    def __init__(self, settings: Settings, partitions: Sequence[int], seed: int = 1, flood: float = 0.0):
        self.topic = settings.topics.sentiment
        self.partitions = partitions
        self.rng = random.Random(seed)
        self.flood = flood
        self.number = 0
        bootstrap = settings.kafka.bootstrap_servers
        self.producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "transactional.id": self.topic,
                "logger": _silent,
                "log_level": 0,
            }
        )
        self.producer.init_transactions(60)

    def produce(self, events: int, transactions: int = 1, foreign: bool = True) -> None:
        for turn in range(transactions):
            self.producer.begin_transaction()
            for _ in range(events // transactions):
                self.number += 1
                event = labelled(self.rng, self.number, time.time(), self.flood)
                value: bytes | None = json.dumps(event, ensure_ascii=self.rng.random() < 0.5).encode()
                if foreign and self.rng.random() < 0.01:
                    value = self.rng.choice(FOREIGN)
                self.producer.produce(self.topic, value, partition=self.rng.choice(self.partitions))
            self.producer.flush(60)
            if turn % 5 == 4:
                self.producer.abort_transaction(60)
            else:
                self.producer.commit_transaction(60)

    @contextmanager
    def going_on(self, every_seconds: float = 0.15, events: int = 60) -> Iterator[None]:
        """Produce in a thread until the block ends."""
        stop = threading.Event()

        def work() -> None:
            while not stop.wait(every_seconds):
                self.produce(events)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def expected(bootstrap: str, settings: Settings) -> dict[int, dict[str, dict[str, int]]]:
    """What every bucket should hold, one event after the other, as the settings say it in words."""
    partitions: dict[int, dict[str, dict[str, int]]] = {}
    for record in read_all(bootstrap, settings.topics.sentiment):
        buckets = partitions.setdefault(record.partition, {})
        try:
            event = json.loads(record.value or b"")
            label, labelled_at = event["sentiment"]["label"], event["labelled_at"]
        except (ValueError, KeyError, TypeError):
            continue
        when = _when(event, labelled_at, settings)
        for name in ("total", *_buckets(when, settings)):
            _count(buckets.setdefault(name, {}), event, label, settings)
    return partitions


def _when(event: dict[str, Any], labelled_at: str, settings: Settings) -> float:
    known = dt.datetime.fromisoformat(labelled_at).timestamp()
    if event["created_at"] is None:
        when = event["origin"]["timestamp"] / 1000
    else:
        moment = dt.datetime.fromisoformat(event["created_at"])
        when = (moment if moment.tzinfo else moment.replace(tzinfo=settings.zone)).timestamp()
    return known if when > known + settings.counters.future_tolerance_seconds else when


def _buckets(when: float, settings: Settings) -> list[str]:
    day = dt.datetime.fromtimestamp(when, ZoneInfo(settings.timezone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    starts = {"10s": when // 10 * 10, "1m": when // 60 * 60, "1h": when // 3600 * 3600, "1d": day.timestamp()}
    return [f"{grain}:{int(start)}" for grain, start in starts.items()]


def _values(event: dict[str, Any]) -> dict[str, list[str]]:
    def written(value: str) -> str:
        return value.replace("%", "%25").replace(":", "%3A").replace("*", "%2A")

    words = event["keywords"] or []
    words = [words] if isinstance(words, str) else words
    singles = {
        "source": [event["source"]],
        "channel": [event["channel"]],
        "keyword": list(dict.fromkeys([*words, *event["matched_keywords"]])),
        "revision": [event["model"]["revision"]],
    }
    values = {name: [written(value) for value in some if value] for name, some in singles.items()}
    for first in ("source", "channel"):
        values[f"{first}*keyword"] = [f"{a}*{b}" for a in values[first] for b in values["keyword"]]
    return values


def _always(dimension: str, value: str, settings: Settings) -> bool:
    named = settings.counters.always_values
    parts = zip(dimension.split("*"), value.split("*"), strict=True)
    return all(part in named.get(name, ()) for name, part in parts)


def _count(bucket: dict[str, int], event: dict[str, Any], label: str, settings: Settings) -> None:
    def add(name: str) -> None:
        bucket[name] = bucket.get(name, 0) + 1

    split = event["sentiment"].get("sentences")
    sentences = [label] if split is None else [one["label"] for one in split if one["label"]]
    values = _values(event)
    add(f"all:{label}")
    for one in sentences:
        add(f"sentences:{one}")
    for dimension in settings.counters.dimensions:
        for value in values[dimension]:
            place = value
            known = any(f"{dimension}:{value}:{one}" in bucket for one in LABELS)
            if not known and not _always(dimension, value, settings):
                if bucket.get(f"places:{dimension}", 0) < settings.counters.max_values:
                    add(f"places:{dimension}")
                else:
                    place = "*"
            add(f"{dimension}:{place}:{label}")
            for one in sentences if dimension == "source" else ():
                add(f"sentences.source:{place}:{one}")


def found(client: redis.Redis, settings: Settings) -> dict[int, dict[str, dict[str, int]]]:
    """Every bucket of the generations that are read."""
    prefix, partitions = settings.counters.prefix, {}
    for state in client.scan_iter(f"{{{prefix}:*}}:state", 1000):
        partition = int(state.decode().partition("}")[0].rpartition(":")[2])
        named = client.hget(state, "named")
        if named is None:
            continue
        begin = f"{{{prefix}:{partition}}}:{named.decode()}:"
        buckets = {}
        for key in client.scan_iter(f"{begin}*", 1000):
            name = key.decode().removeprefix(begin)
            if name not in ("keys", "latest") and not name.startswith("sample:"):
                buckets[name] = {f.decode(): int(count) for f, count in client.hgetall(key).items()}
        partitions[partition] = buckets
    return partitions


def assert_equal(bootstrap: str, client: redis.Redis, settings: Settings) -> int:
    """Redis holds exactly what the oracle says, bucket for bucket and post for post; returns the events."""
    wanted = expected(bootstrap, settings)
    seconds = client.time()[0]
    retention = settings.counters.retention.seconds()

    def lives(name: str, margin: int) -> bool:
        grain, _, start = name.partition(":")
        width = {"10s": 10, "1m": 60, "1h": 3600, "1d": 86_400}.get(grain, 0)
        return grain == "total" or int(start) + width + retention[grain] > seconds + margin

    there = found(client, settings)
    events = 0
    for partition, buckets in wanted.items():
        counted = there.get(partition, {})
        for name, fields in buckets.items():
            if lives(name, 30):
                assert counted.get(name) == fields, f"partition {partition}, {name}"
        strange = [name for name in counted if lives(name, 0) and name not in buckets]
        assert not strange, f"partition {partition}: {strange}"
        events += sum(buckets["total"].get(f"all:{label}", 0) for label in LABELS)
    assert_kept(bootstrap, client, settings, _when)
    return events


@dataclass
class Viewing:
    view: CounterView
    metrics: Metrics
    stop: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.view.run(self.stop)
        except BaseException as failure:  # noqa: BLE001 - whatever it is, the test is to see it
            self.failure = failure

    def wait_level(self, seconds: float = 1.0, timeout_seconds: float = 60.0) -> None:
        """Until it has been level for so long, by an end that the broker was asked for after this call."""
        begun = time.monotonic()
        deadline = begun + timeout_seconds
        while self.view.idle_seconds() < seconds or time.monotonic() - begun < ASK_SECONDS:
            if self.failure is not None:
                raise self.failure
            assert time.monotonic() < deadline, f"not level in time: {self.view.health()}"
            time.sleep(0.05)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()
        if self.failure is not None:
            raise self.failure

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"nifos_{name}", labels) or 0.0


@contextmanager
def viewing(settings: Settings, **options: Any) -> Iterator[Viewing]:
    metrics = Metrics()
    started = Viewing(CounterView(settings, metrics, **options), metrics)
    try:
        yield started
    finally:
        started.stop.set()
        started.thread.join(60)
