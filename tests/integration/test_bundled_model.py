"""The model that ships with the package, on rows that it has not seen."""

import numpy as np
import pytest

from nifos_stream.model import load_model
from nifos_stream.training import corpus
from nifos_stream.training.evaluate import classify, figures
from tests.corpus import TEST

ROWS = 1500
MARGIN = 0.15

pytestmark = pytest.mark.corpus


@pytest.mark.parametrize("source", ["goemotions_ko", "kodoli", "kote", "nsmc_raw", "sentineg"])
def test_the_bundled_model_beats_calling_everything_positive_on_every_source(source: str) -> None:
    rows = [row for row in corpus.read(TEST) if row.source == source]
    probabilities = classify(load_model("bundled"), [row.text for row in rows[:ROWS]])
    labels = np.array([row.label for row in rows[:ROWS]])
    always_positive = figures(labels, np.tile([0.0, 0.0, 1.0], (len(labels), 1)))
    found = figures(labels, probabilities)
    assert found.macro_f1 > 2 * always_positive.macro_f1
    assert found.accuracy > always_positive.accuracy + MARGIN


def test_its_scores_mean_what_they_say() -> None:
    rows = corpus.read(TEST)[:ROWS]
    probabilities = classify(load_model("bundled"), [row.text for row in rows])
    assert figures(np.array([row.label for row in rows]), probabilities).ece < 0.06
