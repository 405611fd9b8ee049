"""All that the page shows of one question, in one answer. Knows no HTTP."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from nifos_stream.counters.reader import Counts
from nifos_stream.counters.shapes import Window
from nifos_stream.watch import tables
from nifos_stream.watch.api.answer import dumped, window_json
from nifos_stream.watch.api.question import Question
from nifos_stream.watch.snapshot import Snapshot, Watcher

DIMENSIONS = ("source", "keyword", "channel")
_MOST_WATCHERS = 64
_TREND_POINTS = 24


@dataclass(frozen=True, slots=True)
class OverviewQuestion(Question):
    """A question whose answer is an overview."""


class Overviews:
    """Answers such questions, each of one moment: one pipelined read of the counts."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._watchers: OrderedDict[OverviewQuestion, Watcher] = OrderedDict()
        self._lock = Lock()

    def written(self, question: OverviewQuestion) -> bytes:
        """The answer as JSON on one line. RedisAway; UserError. Not for one question in two threads."""
        return dumped(overview_json(self._watcher(question).snapshot()))

    def _watcher(self, question: OverviewQuestion) -> Watcher:
        with self._lock:
            watcher = self._watchers.pop(question, None) or Watcher(
                self._counts,
                question.window,
                dimensions=DIMENSIONS,
                where=dict(question.where),
                start=question.start,
                end=question.end,
            )
            self._watchers[question] = watcher
            if len(self._watchers) > _MOST_WATCHERS:
                self._watchers.popitem(last=False)
            return watcher


def overview_json(snapshot: Snapshot) -> dict[str, object]:
    """A snapshot as JSON has it; the counts as everywhere in the API.

    before: null where that cannot be asked. seconds: of the window, up to now. per_minute: posts of the last
    one. by: only the dimensions that are counted together with the filter; `trend` is posts over time in at
    most 24 steps, null but for the largest values.
    """
    before = snapshot.before
    return {
        "window": window_json(snapshot.window),
        "before": before
        and {
            "from": before.start.isoformat(),
            "to": before.end.isoformat(),
            "total": tables.as_json(before.total),
        },
        "seconds": round(snapshot.seconds, 3),
        "per_minute": round(snapshot.per_minute, 3),
        "all_time": snapshot.all_time.total.total,
        "by": {name: _groups(window) for name, window in snapshot.groups.items()},
    }


def _groups(window: Window) -> dict[str, object]:
    return {
        "groups": {
            name: {**tables.as_json(count), "trend": _trend(window.trends.get(name))}
            for name, count in window.groups.items()
        },
        "other": tables.labels_json(window.other),
    }


def _trend(numbers: Sequence[float] | None) -> list[float] | None:
    if numbers is None:
        return None
    return [round(number, 2) for number in tables.resampled(numbers, _TREND_POINTS)]
