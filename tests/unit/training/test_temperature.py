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
