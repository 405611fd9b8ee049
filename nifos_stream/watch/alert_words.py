"""The words that set the posts of an alert apart, while the alert can wait. Publishes nothing."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol

from nifos_stream.alerts.examples import label_of, wanted_of, window_of
from nifos_stream.alerts.machine import Alert
from nifos_stream.counters.reader import Counts
from nifos_stream.errors import UserError
from nifos_stream.messages import Label
from nifos_stream.watch.analyst import Analyst, Asked, Found, Reads
from nifos_stream.watch.apart import Apart

MOST_WORDS = 5
LEAST_Z = 2.0
"""What is less far apart may be chance, and an alert is no place for it."""
_MOST_POSTS = 300
_SECONDS = 20.0
"""Where all cores are busy, the reader is loaded in no less."""
_LOOK_SECONDS = 0.2


class Ends(Reads, Protocol):
    """A reader that holds something until it is closed."""

    def close(self) -> None:
        """Let go of it; whoever waits for words has an error."""


class AlertWords:
    """Finds the words of one alert after the other.

    An alert waits for `seconds` at most, and no longer than `stop`; those after it then wait for nothing,
    until its words are found.

    The process that reads takes half a gigabyte: it begins with the first alert, and ends with `close`, which
    closes `counts`, too.
    """

    def __init__(
        self,
        counts: Counts,
        load: Callable[[], Ends] = Apart,
        *,
        stop: threading.Event | None = None,
        seconds: float = _SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts = counts
        self._reader = load()
        self._analyst = Analyst(counts, lambda: self._reader, most_posts=_MOST_POSTS)
        # In a thread, so that it is waited for no longer than that.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="alert-words")
        self._stop = stop or threading.Event()
        self._now = now
        self._seconds = seconds
        self._late: Future[Found] | None = None

    def find(self, alert: Alert) -> Mapping[str, object]:
        """The words of an alert on posts of one label. UserError, RedisAway or NifosError without them."""
        start, end = (dt.datetime.fromtimestamp(seconds, dt.UTC) for seconds in window_of(alert))
        label = Label(str(label_of(alert)))
        asked = Asked(label, wanted_of(alert), start=start, end=end, limit=MOST_WORDS)
        if self._late is not None and not self._late.done():
            raise UserError("The words of an alert before it are still looked for.")
        answer = self._late = self._thread.submit(self._analyst.find, asked)
        until = self._now() + self._seconds
        while not wait([answer], _LOOK_SECONDS).done:
            if self._stop.is_set() or self._now() > until:
                raise UserError(f"The words were not found within {self._seconds:g} s, or before the end.")
        return _evidence(answer.result())

    def close(self) -> None:
        """End what is still being looked for."""
        self._reader.close()
        self._thread.shutdown(cancel_futures=True)
        self._counts.close()


def _evidence(found: Found) -> Mapping[str, object]:
    return {
        "posts": found.posts,
        "posts_before": found.posts_before,
        "posts_rest": found.posts_rest,
        "words": [
            {
                "word": driver.word,
                "z": round(driver.z, 3),
                "count": driver.count,
                "count_before": driver.count_before,
                "count_rest": driver.count_rest,
            }
            for driver in found.words
            if driver.z >= LEAST_Z
        ],
    }
