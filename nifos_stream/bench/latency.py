"""`bench latency`: from a post's scheduled sending until a read_committed reader sees its event."""

import bisect
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, cycle
from statistics import median
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from nifos_stream import kafka
from nifos_stream.bench.figures import percentile
from nifos_stream.bench.filling import Filler
from nifos_stream.bench.patience import Patience
from nifos_stream.bench.place import open_place
from nifos_stream.bench.posts import posts
from nifos_stream.bench.report import Report
from nifos_stream.bench.setup import Setup, ids_of
from nifos_stream.errors import UserError
from nifos_stream.local.worker import Worker, worker_process
from nifos_stream.model import Classifier
from nifos_stream.model.bare import Bare
from nifos_stream.model.tokenizer import length_of
from nifos_stream.settings import Settings

GRACE_MS = 150.0
CHUNKS = 3
_LOOK_SECONDS = 0.05
_TURN_SECONDS = 0.005
_LINGER_MS = 5
"""As long as librdkafka waits unless told otherwise."""
_MOST_READ = 500
_FULL = 0.98
"""A chunk is planned a little less than full."""
_TOGETHER_SECONDS = 0.01
"""What one transaction made visible may come in several polls, so far apart."""
FEWEST_POSTS = 200
"""Posts of one rate, with fewer of which the 99th percentile is the slowest one or two."""
_FEWEST_LUMPS = 4
"""Lumps after the first half, without which a rate would be that of one batch."""


@dataclass(frozen=True, slots=True)
class Waited:
    """What was seen at one rate. milliseconds: of each post."""

    rate: float
    milliseconds: Sequence[float]

    def facts(self) -> dict[str, float]:
        """Percentiles by their names."""
        shares = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
        return {name: round(percentile(self.milliseconds, share), 1) for name, share in shares.items()}


class Listener(threading.Thread):
    """Reads the labelled topic as anyone does, and notes when each post's event was there, by its number."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="listener", daemon=True)
        self.seen: dict[int, float] = {}
        self._stop_asked = threading.Event()
        topic = settings.topics.sentiment
        extra = {"fetch.wait.max.ms": 20, "enable.partition.eof": False}
        self._consumer = Consumer(kafka.consumer_config(settings.kafka, settings.stream.group_id, extra))
        listed = self._consumer.list_topics(topic, timeout=10).topics[topic]
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in listed.partitions])

    def run(self) -> None:
        """Listen until told to stop."""
        while not self._stop_asked.is_set():
            first = self._consumer.poll(_LOOK_SECONDS)
            if first is None:
                continue
            # What came with it is there at once; asking for more would wait for it.
            found = [first, *self._consumer.consume(_MOST_READ, 0)]
            # One moment for all: they were there together.
            seen_at = time.perf_counter()
            for message in found:
                if message.error() is None:
                    self.seen.setdefault(int(message.key() or b"-1"), seen_at)
        self._consumer.close()

    def stop(self) -> None:
        """Stop, and wait for that."""
        self._stop_asked.set()
        self.join()


@contextmanager
def listening(settings: Settings) -> Iterator[Listener]:
    """A listener that has begun."""
    listener = Listener(settings)
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()


class Traffic:
    """Sends posts by a schedule, and waits until all were seen. No text is sent twice."""

    def __init__(self, setup: Setup, settings: Settings, worker: Worker, listener: Listener) -> None:
        self._setup = setup
        self._filler = Filler(settings, settings.topics.posts, linger_ms=_LINGER_MS)
        self._worker = worker
        self._listener = listener
        self._sent = 0

    def drained(self, count: int) -> float:
        """Posts a second when all are there at once; the first half only warms up."""
        first, begun_at = self._send([0.0] * count)
        return steady_rate([self._listener.seen[number] - begun_at for number in range(first, self._sent)])

    def sustained(self, count: int, rate: float) -> float:
        """Posts a second while `rate` of them come, one by one, which is more than can be kept up with.

        Posts that come so cost their sender, the broker and its readers more than those that lie there,
        and all of these share the machine with the worker.
        """
        # Twice as many: those that are behind come in large batches.
        due = [number / rate for number in range(2 * count)]
        first, begun_at = self._send(due)
        moments = [self._listener.seen[number] - begun_at for number in range(first, self._sent)]
        return min(rate, steady_rate([moment for moment in moments if moment <= due[-1]]))

    def at(self, rate: float, seconds: float) -> Waited:
        """Send at a fixed rate for so long, and see how long each waits, from when it was due."""
        due = [number / rate for number in range(max(1, int(rate * seconds)))]
        first, begun_at = self._send(due)
        seen = self._listener.seen
        return Waited(rate, [1e3 * (seen[first + n] - begun_at - moment) for n, moment in enumerate(due)])

    def _send(self, due: Sequence[float]) -> tuple[int, float]:
        """Send a post when each is due, in seconds from now; the number of the first, and when now was."""
        first = self._sent
        texts = self._setup.different_texts(first + len(due))[first:]
        prepared = list(posts(texts, first))
        begun_at = time.perf_counter()
        for moment, (key, value) in zip(due, prepared, strict=True):
            while (left := begun_at + moment - time.perf_counter()) > 0:
                # Seldom enough that the sender leaves the cores to what is measured.
                time.sleep(max(left, _TURN_SECONDS))
            self._filler.send(key, value)
        self._filler.flush()
        self._sent += len(due)
        self._wait(range(first, self._sent))
        return first, begun_at

    def _wait(self, numbers: range) -> None:
        patience, seen = Patience("labelled"), self._listener.seen
        while not all(number in seen for number in numbers):
            self._worker.check()
            patience.look(len(seen))
            time.sleep(_LOOK_SECONDS)


def steady_rate(moments: Sequence[float]) -> float:
    """Posts a second in the second half of a run, by when each was seen. UserError: too few lumps to tell.

    Posts come in lumps, as each transaction shows all of its own at once. A lump was made in the time since
    the one before. So time runs from the lump that holds the middle post, and leaves that lump out.
    """
    seen = lumps(moments)
    ends = list(accumulate(count for _, count in seen))
    middle = bisect.bisect_left(ends, (len(moments) + 1) // 2)
    later = seen[middle + 1 :]
    if len(later) < _FEWEST_LUMPS:
        raise UserError(
            f"{len(moments):,} posts are too few to tell a rate: the second half of them came in"
            f" {len(later)} batches, and {_FEWEST_LUMPS} are needed. Give more with --messages."
        )
    return sum(count for _, count in later) / (later[-1][0] - seen[middle][0])


def lumps(moments: Sequence[float]) -> list[tuple[float, int]]:
    """Posts that came together: when the first of them did, and how many they are."""
    found: list[tuple[float, int]] = []
    for moment in sorted(moments):
        if found and moment - found[-1][0] <= _TOGETHER_SECONDS:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((moment, 1))
    return found


def run_latency(setup: Setup, *, messages: int, rates: Sequence[float], seconds: float) -> Report:
    """Measure the sustainable rate, then each rate, and half the sustainable.

    Sustainable: what is kept up with while more comes, which is sent as fast as `messages` posts that were
    all there at once were labelled. rates: posts a second, each for `seconds`.
    """
    with open_place(setup.settings, given=setup.given, say=setup.say) as place:
        path = setup.model_path(place.folder)
        classifier = setup.classifier(path)
        facts, full_ms = (
            setup.facts("latency", classifier),
            1e3 * _full_chunk_seconds(setup, classifier, path),
        )
        settings = setup.for_worker(place.fresh(), path, classifier)
        del classifier
        with (
            listening(settings) as listener,
            worker_process(settings, place.folder / "worker.log") as worker,
        ):
            traffic = Traffic(setup, settings, worker, listener)
            setup.say("measuring the rate of posts that are there")
            drained = traffic.drained(messages)
            setup.say(f"measuring the sustainable rate: {drained:,.1f} posts/s come")
            sustainable = traffic.sustained(messages, drained)
            found = []
            for rate in (*rates, sustainable / 2):
                setup.say(f"{rate:,.1f} posts/s for {seconds:g} s")
                found.append(traffic.at(rate, seconds))
    return _report(setup, facts | {"drained_posts_per_s": round(drained, 2)}, sustainable, full_ms, found)


def _full_chunk_seconds(setup: Setup, classifier: Classifier, path: str) -> float:
    """How long the forward pass of a full chunk takes, in all lanes at once; the median of several."""
    lanes = classifier.lanes.count if classifier.lanes else 1
    room, texts = lanes * classifier.chunk_tokens * _FULL, list[bytes]()
    for ids in cycle(ids_of(classifier, setup.different_texts(1000))):
        room -= length_of(ids)
        if room < 0:
            break
        texts.append(ids)
    bare = Bare(classifier, path, texts)
    return median(bare.forward_seconds() for _ in range(5))


def _report(
    setup: Setup, facts: dict[str, Any], sustainable: float, full_ms: float, found: Sequence[Waited]
) -> Report:
    bound = CHUNKS * full_ms + GRACE_MS
    within = [one.facts()["p99_ms"] <= bound for one in found]
    few = min(len(one.milliseconds) for one in found) < FEWEST_POSTS
    facts |= {
        "sustainable_posts_per_s": round(sustainable, 2),
        "forward_chunk_ms": round(full_ms, 1),
        "bound_ms": round(bound, 1),
        "rates": [
            {"rate": round(one.rate, 2), "posts": len(one.milliseconds), **one.facts(), "within_bound": kept}
            for one, kept in zip(found, within, strict=True)
        ],
        **found[-1].facts(),
        "within_bound": within[-1],
        "too_short": few,
    }
    rows = [
        (
            f"{one.rate:,.1f}",
            f"{len(one.milliseconds):,}",
            *(f"{value:,.0f}" for value in one.facts().values()),
            f"{bound:,.0f}",
            "yes" if kept else "no",
        )
        for one, kept in zip(found, within, strict=True)
    ]
    notes = [
        f"Sustainable: {sustainable:,.1f} posts/s, while more come; the last row is half of it.",
        f"Posts that were all there at once: {facts['drained_posts_per_s']:,.1f} posts/s.",
        f"bound: {CHUNKS} x {full_ms:,.0f} ms (forward pass of a full chunk) + {GRACE_MS:.0f} ms, for p99.",
    ]
    if few:
        notes.append(
            f"Too short: of fewer than {FEWEST_POSTS} posts, p99 is the slowest or so. Give more --seconds."
        )
    return Report(
        f"Latency: {setup.shape} in {facts['dtype']}, from when a post was due until its event was visible",
        ("posts/s", "posts", "p50 ms", "p95 ms", "p99 ms", "bound ms", "within"),
        rows,
        facts,
        notes=notes,
    )
