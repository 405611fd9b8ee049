"""The rows on which a model was most sure of the wrong label. Knows no model and no file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nifos_stream.messages import LABELS
from nifos_stream.training import corpus
from nifos_stream.training.account import shortened


@dataclass(frozen=True, slots=True)
class Mistake:
    """One row. text: one line, cut. score: the probability of `said`; label: what the row carries."""

    text: str
    label: str
    said: str
    score: float
    source: str


def worst(rows: Sequence[corpus.Row], probabilities: NDArray[np.floating], most: int) -> tuple[Mistake, ...]:
    """Return at most `most` wrong rows, the surest first.

    probabilities: (rows, 3); a row of NaN was not read and is no mistake.
    """
    read = np.flatnonzero(~np.isnan(probabilities[:, 0]))
    said = probabilities[read].argmax(1)
    wrong = read[said != np.array([rows[place].label for place in read.tolist()], dtype=np.int64)]
    surest = wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")][:most].tolist()
    return tuple(_mistake(rows[place], probabilities[place]) for place in surest)


def _mistake(row: corpus.Row, chances: NDArray[np.floating]) -> Mistake:
    said = int(chances.argmax())
    return Mistake(
        shortened(row.text),
        LABELS[row.label].value,
        LABELS[said].value,
        round(float(chances[said]), 4),
        row.source,
    )
