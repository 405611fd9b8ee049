import numpy as np
import pytest

from nifos_stream.training import temperature


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.5])
def test_the_factor_that_sharpened_the_logits_is_found_again(factor: float) -> None:
    random = np.random.default_rng(1)
    honest = random.normal(0, 1.5, (20_000, 3))
    chances = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    labels = (chances.cumsum(1) < random.random((20_000, 1))).sum(1)
    assert temperature.fit(labels, honest * factor) == pytest.approx(factor, rel=0.05)


def test_offsets_undo_a_lean_to_one_label() -> None:
    random = np.random.default_rng(2)
    honest = random.normal(0, 1.5, (20_000, 3))
    chances = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    labels = (chances.cumsum(1) < random.random((20_000, 1))).sum(1)
    lean = np.array([0.6, -0.2, -0.4])
    found = temperature.offsets(labels, honest + lean, np.ones(len(labels)))
    assert found == pytest.approx(-lean, abs=0.06)


def test_offsets_heed_the_rows_that_weigh_more() -> None:
    labels, logits = np.array([0, 2]), np.zeros((2, 3))
    found = temperature.offsets(labels, logits, np.array([3.0, 1.0]), steps=50)
    assert found[0] > found[2] > found[1]


def test_the_temperature_heeds_the_rows_that_weigh_more() -> None:
    """One row is right and sure, one wrong and sure: the more the wrong one weighs, the less sure all are."""
    labels, logits = np.array([0, 1]), np.array([[3.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    lenient, strict = (temperature.fit(labels, logits, np.array([1.0, weight])) for weight in (0.1, 0.5))
    assert lenient < strict
