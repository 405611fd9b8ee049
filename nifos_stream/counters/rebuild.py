"""Count the whole topic again behind what is read, and let the new counts be read once they are level.

The rebuilder is another view, which fills a generation of its own under the same compare-and-set, with or
without views running; they follow when it is named.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from nifos_stream import kafka
from nifos_stream.counters import connect
from nifos_stream.counters.counting import Counting
from nifos_stream.counters.feed import Feed, consumer
from nifos_stream.counters.generations import PartitionState, bury_unread
from nifos_stream.counters.rebuilder import Rebuilder
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.store import Keys, Store
from nifos_stream.counters.topic import TopicAsker, TopicNow
from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings

SILENCE_SECONDS = 600.0
"""After so long without a sign a rebuilder is taken for dead, and what it filled is deleted."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    partitions: int
    events: int
    seconds: float


def rebuild(
    settings: Settings,
    force: bool = False,
    progress: Callable[[float], None] = lambda _: None,
    *,
    now: Callable[[], float] = time.monotonic,
) -> Rebuilt:
    """Count all of the labelled topic anew, by these settings; returns when the new counts are read.

    force: even when the topic no longer reaches as far back as the counts. progress: told the part done, 0 to
    1. UserError, before anything is changed, when something is missing or would be lost; NifosError when
    Kafka or Redis stay away for `retry_timeout_seconds`. When it fails or is interrupted, what it has filled
    is deleted, at once or by the views later.
    """
    asker = TopicAsker(settings.kafka, kafka.connect(settings.kafka, now))
    topic = asker.now(settings.topics.sentiment)
    if topic is None:
        raise UserError(
            f"Topic {settings.topics.sentiment} does not exist; `nifos-stream topics create` makes it."
        )
    client = connect.wait_until_ready(
        settings.redis.url.get_secret_value(),
        settings.redis.timeout_seconds,
        settings.kafka.startup_timeout_seconds,
    )
    with contextlib.closing(client):
        return _rebuild(client, asker, topic, settings, force, progress, now)


def _rebuild(
    client: connect.RedisClient,
    asker: TopicAsker,
    topic: TopicNow,
    settings: Settings,
    force: bool,
    progress: Callable[[float], None],
    now: Callable[[], float],
) -> Rebuilt:
    rules = Rules.of(settings)
    store = Store(client, Keys(settings.counters.prefix), rules)
    partitions = range(topic.partitions)
    if not force:
        _refuse_loss(store, topic.topic_id, asker.begins(settings.topics.sentiment, partitions))
    metrics, started = Metrics(), now()
    counting = Counting(store, rules, metrics, max_events=settings.counters.batch_events, rebuilding=True)
    feed = Feed(
        consumer(settings, f"{settings.counters.group_id}-rebuild"), settings.topics.sentiment, partitions
    )
    rebuilder = Rebuilder(settings, feed, counting, store, asker, force=force, now=now)
    try:
        while not rebuilder.finished:
            rebuilder.step()
            progress(rebuilder.fraction)
    except BaseException:
        with contextlib.suppress(*connect.TROUBLE):
            rebuilder.abandon()
        raise
    finally:
        feed.close()
    with contextlib.suppress(*connect.TROUBLE):
        bury_unread(store, partitions, SILENCE_SECONDS)
    return Rebuilt(topic.partitions, rebuilder.events, now() - started)


def _refuse_loss(store: Store, topic_id: str, begins: dict[int, int]) -> None:
    gone = 0
    for partition, begin in begins.items():
        read = PartitionState.of(store.state(partition)).read
        if read is not None and read.topic_id == topic_id:
            gone += max(0, begin - read.begin)
    if gone:
        raise UserError(
            f"The topic no longer holds {gone} of the records that the counts were made from;"
            " they would be lost from the counts. --force rebuilds without them."
        )
