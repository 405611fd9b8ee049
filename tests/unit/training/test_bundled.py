"""What the making of the bundled model weighs; the rest of it runs for hours, on parts that have tests."""

import pytest

from nifos_stream.training.bundled import row_weights
from nifos_stream.training.corpus import Row


def test_small_sources_are_heard_and_their_poles_weigh_alike() -> None:
    many = [Row("", 0, "many")] * 10 + [Row("", 1, "many")] * 20 + [Row("", 2, "many")] * 70
    few = [Row("", 0, "few")] * 3 + [Row("", 1, "few")]
    weights = row_weights(many + few)
    of_many, of_few = weights[: len(many)], weights[len(many) :]
    assert of_many.sum() == pytest.approx(10.0)
    assert of_many[:10].sum() == pytest.approx(of_many[30:].sum())
    assert of_many[10] == pytest.approx(0.1)
    assert of_few == pytest.approx([0.5] * 4)
