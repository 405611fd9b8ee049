"""Let real stages empty a topic, and take the time. Knows no shape of a model and no result."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from prometheus_client import Counter

from nifos_stream.bench.patience import Patience
from nifos_stream.counters.reader import Counts
from nifos_stream.counters.view import CounterView
from nifos_stream.errors import NifosError
from nifos_stream.metrics import Metrics
from nifos_stream.model import Classifier
from nifos_stream.service import Service
from nifos_stream.settings import Settings
from nifos_stream.stage import Stage
from nifos_stream.stream.worker import ClassifyStage

_SOON_SECONDS = 0.002
# Each look takes a millisecond from the work that it looks at.
_LOOK_SECONDS = 0.05


def drain_posts(settings: Settings, classifier: Classifier, posts: int) -> float:
    """Label and count `posts` posts, exactly once, in this process; posts a second.

    From the first record read to the last count in Redis. NifosError when a post was not labelled, or a
    count is off at the end.
    """
    metrics = Metrics()
    stages: list[Stage] = [ClassifyStage(settings, classifier, metrics), CounterView(settings, metrics)]
    rate = _run(stages, metrics, metrics.posts_read, lambda: _all_counted(metrics, posts), posts)
    labelled = int(total(metrics.posts_labelled))
    if labelled != posts:
        raise NifosError(f"{labelled:,} of {posts:,} posts were labelled; a dead letter is no work done.")
    if (counted := counted_in_redis(settings)) != labelled:
        raise NifosError(f"{labelled:,} posts were labelled, but {counted:,} are counted.")
    return rate


def drain_events(settings: Settings, events: int) -> float:
    """Count `events` labelled events in this process; events a second. NifosError when a count is off."""
    metrics = Metrics()
    view = CounterView(settings, metrics)
    counted = metrics.events_counted
    rate = _run([view], metrics, counted, lambda: total(counted) >= events, events)
    if (in_redis := counted_in_redis(settings)) != events:
        raise NifosError(f"The topic holds {events:,} events, but {in_redis:,} are counted.")
    return rate


def counted_in_redis(settings: Settings) -> int:
    """Posts counted so far."""
    redis = settings.redis
    with Counts(redis.url.get_secret_value(), prefix=settings.counters.prefix) as counts:
        return counts.total().total.total


def total(counter: Counter) -> float:
    """The value of a counter, over all its labels."""
    return sum(
        sample.value
        for family in counter.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    )


def _all_counted(metrics: Metrics, posts: int) -> bool:
    labelled = total(metrics.posts_labelled)
    return labelled + total(metrics.dead_letters) >= posts and total(metrics.events_counted) >= labelled


def _run(
    stages: Sequence[Stage], metrics: Metrics, first: Counter, done: Callable[[], bool], count: int
) -> float:
    """Run stages from the first sign of work until all is done; how much a second."""
    stop = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="service") as pool:
        running = pool.submit(Service(stages, metrics, stop=stop).run)
        try:
            _wait(lambda: total(first) > 0, running, metrics, _SOON_SECONDS)
            # What was done before the first look was not seen to take any time.
            before, begun_at = _before(metrics, first), time.perf_counter()
            _wait(done, running, metrics, _LOOK_SECONDS)
            seconds = time.perf_counter() - begun_at
        finally:
            stop.set()
        running.result()
    return (count - before) / seconds


def _before(metrics: Metrics, first: Counter) -> float:
    return total(first) if first is metrics.events_counted else 0.0


def _wait(
    condition: Callable[[], bool], running: "Future[None]", metrics: Metrics, every_seconds: float
) -> None:
    patience = Patience("labelled or counted")
    while not condition():
        if running.done():
            running.result()
            raise NifosError("The stages ended before the work was done.")
        patience.look(sum(map(total, (metrics.posts_labelled, metrics.dead_letters, metrics.events_counted))))
        time.sleep(every_seconds)
