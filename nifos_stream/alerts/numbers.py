"""What rules are judged by: counts of windows, however they are kept. Reads nothing itself."""

from collections.abc import Mapping
from typing import Protocol

from nifos_stream.counters.shapes import Count

EVERYTHING = ""
"""The one value of the dimension `all`."""
MINUTE = 60
HOUR = 3600
DAY = 86_400


class Numbers(Protocol):
    """Counts by dimension and value. Times are whole minutes, in seconds since 1970."""

    def dimensions(self) -> frozenset[str]:
        """The dimensions that are counted, `all` among them."""

    def window(self, dimension: str, start: int, end: int) -> Mapping[str, Count]:
        """The posts of [start, end) by value; values without any are missing."""

    def first_seen(self, dimension: str, start: int, end: int) -> Mapping[str, int]:
        """Of each value with posts in [start, end), rounded to days, when the first were, to the day."""
