"""Tell records that the broker deleted before they were read from offsets that hold none. Knows no client.

Markers of transactions and compacted or aborted records take offsets too, so a gap alone means nothing;
what of it lies before the start of the log was lost.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple


class _Gap(NamedTuple):
    partition: int
    start: int
    end: int
    question: int


class Trimming:
    """Gaps between what was read, until the start of the log is known."""

    def __init__(self) -> None:
        self._gaps: list[_Gap] = []
        self._questions = 0

    def skipped(self, partition: int, start: int, end: int) -> None:
        """Offsets [start, end) were never delivered."""
        self._gaps.append(_Gap(partition, start, end, self._questions))

    def asking(self) -> None:
        """The broker is being asked for the starts of the log: gaps seen later wait for the next answer."""
        self._questions += 1

    def settle(self, log_starts: Mapping[int, int]) -> dict[int, int]:
        """Offsets lost by partition, by the answer to the last question; the gaps it judges are forgotten."""
        lost: dict[int, int] = {}
        waiting: list[_Gap] = []
        for gap in self._gaps:
            if gap.question >= self._questions or gap.partition not in log_starts:
                waiting.append(gap)
                continue
            missing = min(gap.end, log_starts[gap.partition]) - gap.start
            if missing > 0:
                lost[gap.partition] = lost.get(gap.partition, 0) + missing
        self._gaps = waiting
        return lost

    def drop(self, partitions: Collection[int]) -> None:
        """Forget the gaps of these partitions; their next owner judges its own."""
        self._gaps = [gap for gap in self._gaps if gap.partition not in partitions]
