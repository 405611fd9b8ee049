"""The counts as metrics: posts of a few windows by label, source and keyword. Counts nothing itself."""

import time
from collections.abc import Callable, Mapping

from nifos_stream import logs
from nifos_stream.counters.reader import Counts, RedisAway
from nifos_stream.counters.shapes import Count
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS
from nifos_stream.metrics import Answers
from nifos_stream.watch.shared import Shared
from nifos_stream.watch.tables import OTHER

log = logs.get("metrics")

WINDOWS = ("5m", "1h", "24h")
MOST_VALUES = 20
"""Sources and keywords that have samples of their own: the largest of each window."""
_AGAIN_SECONDS = 5.0


class ExportedCounts:
    """What is answered when metrics are asked for; read at most once in a few seconds. Nothing without Redis.

    counts: a reader of its own, with a time limit that whoever asks for metrics can wait for.
    """

    def __init__(self, counts: Counts, *, now: Callable[[], float] = time.monotonic) -> None:
        self._counts = counts
        self._answers = Shared(self._read, every_seconds=_AGAIN_SECONDS, now=now)

    def __call__(self) -> Answers:
        """Samples by metric; see `Metrics.answer`."""
        return self._answers.get()

    def _read(self) -> Answers:
        answers: Answers = {"window_posts": {}, "window_source_posts": {}, "window_keyword_posts": {}}
        try:
            for window in WINDOWS:
                _add(answers["window_posts"], (window,), self._counts.window(window).total)
                for dimension in ("source", "keyword"):
                    for value, count in self._largest(window, dimension).items():
                        _add(answers[f"window_{dimension}_posts"], (window, value), count)
        except UserError as error:
            log.debug("counts.missed", detail=str(error))
            return {}
        return answers

    def _largest(self, window: str, dimension: str) -> Mapping[str, Count]:
        """The largest values; of sources also what is left of the posts that have one. {} if not counted."""
        try:
            read = self._counts.window(window, by=dimension)
        except RedisAway:
            raise
        except UserError:
            return {}
        values = list(read.groups.items())
        largest = dict(values[:MOST_VALUES])
        rest = sum((count for _, count in values[MOST_VALUES:]), read.other)
        if dimension == "source" and rest.total:
            largest[OTHER] = rest
        return largest


def _add(samples: dict[tuple[str, ...], float], labels: tuple[str, ...], count: Count) -> None:
    for label in LABELS:
        samples[*labels, label.value] = count.of(label)
