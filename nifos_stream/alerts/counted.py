"""The live counts as Numbers. Changes nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from nifos_stream.alerts.numbers import DAY, EVERYTHING, HOUR
from nifos_stream.counters.reader import Counts
from nifos_stream.counters.shapes import Count, Window
from nifos_stream.settings import Settings

_SHORT = 2 * HOUR
"""Windows from this length on are read by whole hours where they can be."""


class Counted:
    """What a reader of the counts answers. counted: its dimensions. Calls raise what Counts.window does."""

    def __init__(self, counts: Counts, counted: Collection[str]) -> None:
        self._counts = counts
        self._dimensions = frozenset(counted) | {"all"}

    def dimensions(self) -> frozenset[str]:
        """The dimensions that are counted, `all` among them."""
        return self._dimensions

    def window(self, dimension: str, start: int, end: int) -> Mapping[str, Count]:
        """The posts of [start, end) by value."""
        sums: defaultdict[str, Count] = defaultdict(Count)
        for grain, begin, stop in _pieces(start, end):
            for value, count in _values(self._read(dimension, begin, stop, grain), dimension).items():
                sums[value] += count
        return {value: count for value, count in sums.items() if count.total}

    def first_seen(self, dimension: str, start: int, end: int) -> Mapping[str, int]:
        """Values with posts in [start, end), rounded to days, and the begin of the first such day."""
        seen: dict[str, int] = {}
        while start < end:
            window = self._read(dimension, start, start + 1, "1d")
            for value, count in _values(window, dimension).items():
                if count.total:
                    seen.setdefault(value, int(window.start.timestamp()))
            start = max(int(window.end.timestamp()), start + DAY // 4)
        return seen

    def _read(self, dimension: str, start: int, end: int, grain: str) -> Window:
        by = None if dimension == "all" else dimension
        return self._counts.window(by=by, start=start, end=end, grain=grain)


def _values(window: Window, dimension: str) -> Mapping[str, Count]:
    return {EVERYTHING: window.total} if dimension == "all" else window.groups


def _pieces(start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Grains and ends of the fewest buckets that make up a window."""
    first, last = -(-start // HOUR) * HOUR, end // HOUR * HOUR
    if last <= first or (end - start < _SHORT and (start, end) != (first, last)):
        yield "1m", start, end
        return
    if start < first:
        yield "1m", start, first
    yield "1h", first, last
    if last < end:
        yield "1m", last, end


def counts_of(settings: Settings) -> Counts:
    """The counts that the settings name."""
    return Counts(
        settings.redis.url.get_secret_value(),
        prefix=settings.counters.prefix,
        timezone=settings.timezone,
        timeout_seconds=settings.redis.timeout_seconds,
    )
