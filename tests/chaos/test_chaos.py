"""Three workers, killed and paused at random while posts come in: each post labelled once, in order, counted.

NIFOS_CHAOS_SEED chooses other moments, NIFOS_CHAOS_KILLS how many kills must count.
"""

import json
import logging
import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict

import pytest
from confluent_kafka import Producer

from nifos_stream.counters.reader import Counts
from tests.integration.kafka_tools import follow, read_all, wait_until
from tests.integration.oracle import counted, tally
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir

SEED = int(os.environ.get("NIFOS_CHAOS_SEED", "20260501"))
KILLS = int(os.environ.get("NIFOS_CHAOS_KILLS", "20"))
KILLS_IN_TRANSACTION = 5
PAUSES = 3
POSTS = 20_000
POSTS_PER_SECOND = 120
PARTITIONS = 9
WORKERS = 3
CHAOS_SECONDS = 900
DAYS = [f"2026-04-{day:02}" for day in range(1, 6)]

_silent = logging.getLogger("tests.chaos.librdkafka")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class SteadyProducer(threading.Thread):
    """Produces numbered posts to all partitions in turn, at one pace, until told to stop."""

    def __init__(self, bootstrap: str, topic: str, rng: random.Random) -> None:
        super().__init__(daemon=True)
        config = {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5}
        self._producer = Producer({**config, "logger": _silent})
        self._topic = topic
        self._rng = rng
        self._enough = threading.Event()
        self.sent: dict[int, list[str]] = defaultdict(list)
        self.count = 0
        self.problems: list[str] = []

    def run(self) -> None:
        begun_at = time.monotonic()
        while not self._enough.is_set():
            due = int((time.monotonic() - begun_at) * POSTS_PER_SECOND)
            while self.count < due:
                self._produce()
            self._producer.poll(0)
            time.sleep(0.01)
        if self._producer.flush(30):
            self.problems.append("not everything was acknowledged")

    def stop(self) -> None:
        self._enough.set()
        self.join(60)

    def _produce(self) -> None:
        number = self.count
        partition = number % PARTITIONS
        post = {
            "id": f"post-{number}",
            "text": self._rng.choice(
                ["정말 좋아요", "별로예요", "그저 그래요", "숲길 좋아요!", "산 별로다ㅠㅠ"]
            )
            + f" {self._rng.randrange(500)}",
            "source": self._rng.choice(["twitter", "naver_blog", "instagram"]),
            "channel": self._rng.choice(["sns", "blog"]),
            "keywords": self._rng.sample(["산불", "숲길", "휴양림"], self._rng.randrange(3)),
            "created_at": f"{self._rng.choice(DAYS)}T{self._rng.randrange(24):02}:00:00+09:00",
        }
        self.sent[partition].append(post["id"])
        self._producer.produce(
            self._topic,
            json.dumps(post, ensure_ascii=False).encode(),
            key=post["id"].encode(),
            partition=partition,
            on_delivery=self._delivered,
        )
        self.count += 1

    def _delivered(self, error, _message) -> None:
        if error is not None:
            self.problems.append(str(error))


class ConcurrentReader(threading.Thread):
    """Reads the labelled topic read_committed from the first moment on."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__(daemon=True)
        self._records = follow(bootstrap, topic)
        self._enough = threading.Event()
        self.seen: dict[int, list[str]] = defaultdict(list)
        self.count = 0

    def run(self) -> None:
        for record in self._records:
            if record is not None:
                self.seen[record.partition].append(record.key.decode())
                self.count += 1
            if self._enough.is_set():
                break
        self._records.close()

    def stop(self) -> None:
        self._enough.set()
        self.join(30)


class Chaos:
    """Kills and pauses workers, and starts others in their place."""

    def __init__(self, start_worker, rng: random.Random) -> None:
        self._start = start_worker
        self._rng = rng
        self._begun_at = time.monotonic()
        self.workers = [start_worker() for _ in range(WORKERS)]
        self.kills = Counter()
        self._paused: list[tuple[float, WorkerProcess]] = []

    def enough(self) -> bool:
        return (
            self.kills["counted"] >= KILLS
            and self.kills["in transaction"] >= KILLS_IN_TRANSACTION
            and self.kills["pauses"] >= PAUSES
        )

    def step(self) -> None:
        """Do one thing to one worker; which and when comes from the seed."""
        self._wake()
        for worker in self.workers:
            assert worker.alive, f"a worker ended by itself: {worker.tail()}"
        time.sleep(self._rng.uniform(0.1, 0.8))
        ripe = [worker for worker in self.workers if worker.qualified]
        if not ripe:
            return
        victim, dice = self._rng.choice(ripe), self._rng.random()
        if dice < 0.05:
            # One that has not begun to work may die too; it does not count.
            self._kill(self._rng.choice(self.workers))
        elif victim in [worker for _, worker in self._paused]:
            if dice < 0.2:
                self._kill(victim)
        elif self.kills["pauses"] * KILLS <= self.kills["all"] * PAUSES:
            victim.send(signal.SIGSTOP)
            self.kills["pauses"] += 1
            self._paused.append((time.monotonic() + self._rng.uniform(3, 9), victim))
        elif dice < 0.75:
            begun = victim.at("transaction.begun")
            begun.clear()
            begun.wait(1.0)
            self._kill(victim)
        else:
            self._kill(victim)

    def calm(self) -> None:
        while self._paused:
            self._wake()
            time.sleep(0.1)

    def _wake(self) -> None:
        for due_at, worker in list(self._paused):
            if time.monotonic() >= due_at:
                self._paused.remove((due_at, worker))
                if worker.alive:
                    worker.send(signal.SIGCONT)

    def _kill(self, victim: WorkerProcess) -> None:
        code = victim.exit(signal.SIGKILL)
        assert code == -signal.SIGKILL, f"a worker ended by itself: {code}, {victim.tail()}"
        self._paused = [(due, worker) for due, worker in self._paused if worker is not victim]
        self.kills["all"] += 1
        self.kills["counted"] += victim.qualified
        self.kills["in transaction"] += victim.qualified and victim.in_transaction
        self.workers[self.workers.index(victim)] = self._start()
        print(f"{time.monotonic() - self._begun_at:.0f} s: {dict(self.kills)}")


@pytest.mark.timeout(1200)
def test_each_post_is_labelled_once_in_order_and_counted_whatever_is_killed(
    own_stack, make_settings, tmp_path
):
    print(f"NIFOS_CHAOS_SEED={SEED}")
    rng = random.Random(SEED)
    settings = make_settings(partitions=PARTITIONS, on=own_stack)
    model = make_model_dir(tmp_path / "model")
    bootstrap, topics = own_stack.bootstrap_servers, settings.topics
    reader = ConcurrentReader(bootstrap, topics.sentiment)
    producer = SteadyProducer(bootstrap, topics.posts, random.Random(SEED + 1))
    begun_at = time.monotonic()
    reader.start()
    chaos = Chaos(lambda: WorkerProcess(settings, model), rng)
    try:
        producer.start()
        while not (chaos.enough() and producer.count >= POSTS):
            assert time.monotonic() - begun_at < CHAOS_SECONDS, f"not enough kills in time: {chaos.kills}"
            if chaos.enough():
                chaos.calm()
                time.sleep(0.5)
            else:
                chaos.step()
        chaos.calm()
        producer.stop()
        assert not producer.problems, producer.problems[:3]
        wait_until(lambda: reader.count >= producer.count, 120, what="all posts are labelled")
        with Counts(own_stack.redis_url, prefix=settings.counters.prefix) as counts:
            wait_until(
                lambda: counts.freshness().behind == 0 and counts.total().total.total >= producer.count, 60
            )
            in_redis = counted(counts, DAYS)
        for worker in chaos.workers:
            worker.stop()
    finally:
        for worker in chaos.workers:
            worker.exit(signal.SIGKILL)
        producer.stop()
        reader.stop()
    seconds = time.monotonic() - begun_at
    print(f"{producer.count} posts, {dict(chaos.kills)}, {seconds:.0f} s")

    output = read_all(bootstrap, topics.sentiment)
    by_partition = defaultdict(list)
    for record in output:
        by_partition[record.partition].append(record.key.decode())
    assert by_partition == producer.sent, "each post once, in the order of its partition"
    assert reader.seen == producer.sent, "a reader that was there all the time saw the same"
    for record in output:
        event = json.loads(record.value)
        assert event["id"] == record.key.decode()
        assert (event["origin"]["topic"], event["origin"]["partition"]) == (topics.posts, record.partition)
    assert read_all(bootstrap, topics.dead_letters) == []
    assert in_redis == tally(record.value for record in output)
