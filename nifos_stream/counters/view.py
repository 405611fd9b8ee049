"""The counter view: keeps the counts in Redis level with the labelled topic.

Where to go on is always the position that lies in Redis next to the counts; the consumer group only divides
the partitions. Whatever goes wrong with a partition, it is let go and held anew: its position asked, and the
topic read from there.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence

from nifos_stream import kafka, logs
from nifos_stream.counters import connect
from nifos_stream.counters.counting import Counting
from nifos_stream.counters.feed import Feed, consumer, moves_one_by_one
from nifos_stream.counters.freshness import Sampler
from nifos_stream.counters.holding import Holding
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.store import Keys, Store
from nifos_stream.counters.topic import TopicAsker
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.stage import Health

READ_SECONDS = 0.1
"""How long a round waits for records: what light traffic adds to the age of the counts."""
MAX_BACKOFF_SECONDS = 3.0
NOTED_SECONDS = 2.0
_log = logs.get(__name__)


class CounterView:
    """A Stage that counts the labelled topic into Redis.

    partitions: read exactly these, outside any group. wait_for_redis: go on without Redis at the start,
    instead of a UserError after `startup_timeout_seconds`.
    """

    name = "counters"

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        *,
        wait_for_redis: bool = False,
        partitions: Sequence[int] | None = None,
        rebuilder_silence_seconds: float = 600.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._topic = settings.topics.sentiment
        self._wait_for_redis = wait_for_redis
        self._partitions = partitions
        self._silence_seconds = rebuilder_silence_seconds
        self._now = now
        self._health = Health(ok=True, ready=False, detail="starting")
        self._level_since: float | None = None
        self._noted_at = now()
        self._trouble_since: float | None = None
        self._backoff_seconds = 0.0

    def run(self, stop: threading.Event) -> None:
        """Count until `stop`.

        UserError for what a person must mend: settings, a missing topic or permission,
        counts made by other settings.
        BrokerUnavailable when Kafka stayed away for `retry_timeout_seconds`.
        """
        asker = TopicAsker(self._settings.kafka, kafka.connect(self._settings.kafka, self._now))
        if asker.now(self._topic) is None:
            raise UserError(f"Topic {self._topic} does not exist; `nifos-stream topics create` makes it.")
        client = self._connect(stop)
        if client is None:
            return
        rules = Rules.of(self._settings)
        store = Store(client, Keys(self._settings.counters.prefix), rules)
        counting = Counting(store, rules, self._metrics, max_events=self._settings.counters.batch_events)
        feed = Feed(
            consumer(self._settings, self._settings.counters.group_id),
            self._topic,
            self._partitions,
            one_by_one=moves_one_by_one(self._settings),
        )
        holding = Holding(self._topic, feed, counting, store, asker, now=self._now)
        sampler = self._sampler(store, asker, feed, counting)
        sampler.start()
        try:
            while not stop.is_set():
                if slipped := sampler.slipped():
                    _log.warning("counts.slipped", partitions=sorted(slipped))
                    holding.let_go(slipped)
                self._round(feed, counting, holding)
                self._note_level(feed, counting, sampler)
        finally:
            sampler.stop()
            feed.close()
            client.close()
            asker.close()

    def idle_seconds(self) -> float:
        """Seconds since every owned partition was counted to its end, as the broker confirms all the time."""
        since, now = self._level_since, self._now()
        # A loop that hangs in a call has no say on whether there is something to do.
        return 0.0 if since is None or now - self._noted_at > NOTED_SECONDS else now - since

    def health(self) -> Health:
        """Red once events were lost: trimmed from the topic before they were counted."""
        return self._health

    def _round(self, feed: Feed, counting: Counting, holding: Holding) -> None:
        """Count what came in.

        1. Hold what is not held.  2. Read.  3. Make sure that it is of the topic held.  4. Count.
        5. Tell the group.
        """
        try:
            holding.hold()
            slices = feed.read(self._settings.counters.batch_events, READ_SECONDS)
            if slices:
                self._level_since = None
                slices = holding.of_this_topic(slices)
            counted = {}
            for part in slices:
                if counting.count(part) is None:
                    counted[part.partition] = part.end
                else:
                    feed.halt(part.partition)
            feed.commit(counted)
        except connect.TROUBLE as error:
            self._metrics.redis_up.set(0)
            self._wait(connect.said_of(error), feed, holding)
        except BrokerUnavailable as error:
            self._wait(str(error), feed, holding)
            since = self._trouble_since
            if since is not None and self._now() - since > self._settings.kafka.retry_timeout_seconds:
                raise
        else:
            self._metrics.redis_up.set(1)
            self._well(feed, holding)

    def _wait(self, what: str, feed: Feed, holding: Holding) -> None:
        """Let go of everything, as it is unclear what was counted; stay a member of the group meanwhile."""
        if self._trouble_since is None:
            self._trouble_since = self._now()
            _log.warning("counting.interrupted", detail=what)
        self._level_since = None
        self._health = Health(not holding.lost, ready=False, detail=what)
        holding.let_go()
        self._backoff_seconds = min(max(0.1, 2 * self._backoff_seconds), MAX_BACKOFF_SECONDS)
        feed.read(1, self._backoff_seconds * random.uniform(0.5, 1.0))

    def _well(self, feed: Feed, holding: Holding) -> None:
        if self._trouble_since is not None:
            _log.info("counting.resumed", after_seconds=round(self._now() - self._trouble_since, 1))
        self._trouble_since, self._backoff_seconds = None, 0.0
        ready = feed.joined and not feed.waiting
        detail = (
            f"{holding.lost} events were trimmed before they were counted" if holding.lost else "counting"
        )
        self._health = Health(ok=not holding.lost, ready=ready, detail=detail)

    def _note_level(self, feed: Feed, counting: Counting, sampler: Sampler) -> None:
        """Level is what the broker says: a client that lost it would call any position the end."""
        self._noted_at = self._now()
        if not (feed.at_end and sampler.reached(counting.positions)):
            self._level_since = None
        elif self._level_since is None:
            self._level_since = self._now()

    def _connect(self, stop: threading.Event) -> connect.RedisClient | None:
        """The client; None when told to stop while waiting for it."""
        redis = self._settings.redis
        url, startup = redis.url.get_secret_value(), self._settings.kafka.startup_timeout_seconds
        while not stop.is_set():
            try:
                return connect.wait_until_ready(
                    url, redis.timeout_seconds, 0.0 if self._wait_for_redis else startup
                )
            except connect.RedisAway as error:
                if not self._wait_for_redis:
                    raise
                self._metrics.redis_up.set(0)
                self._health = Health(ok=True, ready=False, detail=str(error))
                stop.wait(1.0)
        return None

    def _sampler(self, store: Store, asker: TopicAsker, feed: Feed, counting: Counting) -> Sampler:
        return Sampler(
            store,
            asker,
            self._topic,
            lambda: feed.owned,
            self._metrics,
            # A copy, as another thread reads it.
            counted=lambda: {partition: held.position for partition, held in counting.held.copy().items()},
            classified=(self._settings.topics.posts, self._settings.stream.group_id),
            silence_seconds=self._silence_seconds,
            now=self._now,
        )
