"""Notice when nearly every message is bad. Knows neither Kafka nor the model."""

from collections import deque
from collections.abc import Iterable


class Storm:
    """The share of bad messages among the last `window` ones, counted across batches."""

    def __init__(self, *, ratio: float, window: int, accept_bad: bool) -> None:
        self._ratio = ratio
        self._accept_bad = accept_bad
        self._last: deque[bool] = deque(maxlen=window)
        self._bad = 0
        self.active = False
        """Set once and for good: a person has to look."""

    @property
    def share(self) -> float:
        """Bad ones / all, of the messages in the window."""
        return self._bad / len(self._last) if self._last else 0.0

    def count(self, bad: Iterable[bool]) -> None:
        """Count messages that were committed: for each, whether it became a dead letter."""
        last = self._last
        for is_bad in bad:
            if len(last) == last.maxlen:
                self._bad -= last[0]
            last.append(is_bad)
            self._bad += is_bad
            if len(last) == last.maxlen and not self._accept_bad and self.share > self._ratio:
                self.active = True
