"""In which order, and how often, the rows of each source are read. Knows nothing of models.

Every batch holds texts of one token length, so nothing is padded and no mask is needed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Mix:
    """How often a round reads each source's rows (a fraction reads a part of them), by source name."""

    passes: Mapping[str, float]
    tokens_per_batch: int
    seed: int


def batches(lengths: Sequence[int], sources: Sequence[str], mix: Mix) -> Iterator[list[int]]:
    """Yield row numbers without end: all of one length, about `tokens_per_batch` tokens together.

    The same arguments yield the same batches, so a training resumes by skipping what it has read.
    """
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    for row in _rows(sources, mix):
        length = lengths[row]
        group = waiting[length]
        group.append(row)
        if len(group) * length >= mix.tokens_per_batch:
            yield group
            del waiting[length]


def _rows(sources: Sequence[str], mix: Mix) -> Iterator[int]:
    random = np.random.default_rng(mix.seed)
    by_source: defaultdict[str, list[int]] = defaultdict(list)
    for row, source in enumerate(sources):
        if mix.passes.get(source, 1.0) > 0:
            by_source[source].append(row)
    decks = {source: np.empty(0, dtype=np.int64) for source in by_source}
    while True:
        drawn = []
        for source, rows in sorted(by_source.items()):
            wanted = max(1, round(len(rows) * mix.passes.get(source, 1.0)))
            while len(decks[source]) < wanted:
                decks[source] = np.concatenate([decks[source], random.permutation(rows)])
            drawn.append(decks[source][:wanted])
            decks[source] = decks[source][wanted:]
        yield from random.permutation(np.concatenate(drawn)).tolist()
