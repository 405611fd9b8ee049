"""How long the texts of a file are in tokens, and what a length limit costs. Knows nothing of files."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Lengths:
    """How texts spread over token lengths, [CLS] and [SEP] included.

    texts_by_length: texts of 0, 1, 2, … tokens. wanted: the share of texts that should fit.
    chosen: the shortest length in which at least that share fits.
    """

    texts_by_length: tuple[int, ...]
    wanted: float
    chosen: int

    @property
    def texts(self) -> int:
        """All texts."""
        return sum(self.texts_by_length)

    @property
    def shortest(self) -> int:
        """Tokens of the shortest text."""
        return next(length for length, texts in enumerate(self.texts_by_length) if texts)

    @property
    def longest(self) -> int:
        """Tokens of the longest text."""
        return len(self.texts_by_length) - 1

    @property
    def mean(self) -> float:
        """Tokens of a text on average."""
        return sum(length * texts for length, texts in enumerate(self.texts_by_length)) / self.texts

    @property
    def median(self) -> int:
        """Half of the texts have at most so many tokens."""
        return shortest_covering(self.texts_by_length, 0.5)

    @property
    def kept(self) -> int:
        """Texts that fit in the chosen length."""
        return sum(self.texts_by_length[: self.chosen + 1])

    @property
    def cut(self) -> int:
        """Texts that are longer."""
        return self.texts - self.kept

    @property
    def coverage(self) -> float:
        """The share of texts that fit."""
        return self.kept / self.texts

    @property
    def padding(self) -> float:
        """The share of arithmetic that goes into padding, were every text padded to the chosen length."""
        read = sum(min(length, self.chosen) * texts for length, texts in enumerate(self.texts_by_length))
        return 1 - read / (self.chosen * self.texts)


def measure(lengths: Sequence[int], coverage: float) -> Lengths:
    """Count token lengths. coverage: share of texts in (0, 1] that should fit. ValueError without texts."""
    if not len(lengths) or not 0 < coverage <= 1:
        raise ValueError("Lengths need at least one text and a coverage in (0, 1].")
    counts = tuple(np.bincount(np.asarray(lengths)).tolist())
    return Lengths(counts, coverage, shortest_covering(counts, coverage))


def shortest_covering(texts_by_length: Sequence[int], share: float) -> int:
    """Return the shortest length in which at least `share` of the texts fit."""
    seen = np.cumsum(texts_by_length)
    # Counts are compared, not shares: 0.96 * 25 is 24.000000000000004 or less, by luck.
    needed = int(np.ceil(round(share * float(seen[-1]), 6)))
    return int(np.searchsorted(seen, max(1, needed)))
