"""The model that ships with the package, on rows that it has not seen."""

from pathlib import Path

import numpy as np
import pytest

from nifos_stream.model import load_model
from nifos_stream.training import corpus
from nifos_stream.training.evaluate import classify, figures

DATA = Path(__file__).parents[3] / "shared" / "data"
ROWS = 1500
MARGIN = 0.10

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DATA.is_dir(), reason="the labelled corpus is not here"),
]


def test_the_bundled_model_beats_calling_everything_positive_on_every_source() -> None:
    rows = corpus.read(DATA / "test.tsv.xz")
    # Small sources count as much as large ones.
    chosen: list[corpus.Row] = []
    for source in sorted({row.source for row in rows}):
        chosen += [row for row in rows if row.source == source][: ROWS // 5]
    probabilities = classify(load_model("bundled"), [row.text for row in chosen])
    labels = np.array([row.label for row in chosen])
    sources = np.array([row.source for row in chosen])
    for source in np.unique(sources):
        mine = sources == source
        always_positive = figures(labels[mine], np.tile([0.0, 0.0, 1.0], (int(mine.sum()), 1)))
        found = figures(labels[mine], probabilities[mine])
        assert found.accuracy > always_positive.accuracy + MARGIN, source
        assert found.macro_f1 > 2 * always_positive.macro_f1, source


def test_its_scores_mean_what_they_say() -> None:
    rows = corpus.read(DATA / "test.tsv.xz")[:ROWS]
    probabilities = classify(load_model("bundled"), [row.text for row in rows])
    assert figures(np.array([row.label for row in rows]), probabilities).ece < 0.06
