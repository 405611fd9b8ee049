import numpy as np
import pytest

from nifos_stream.training.corpus import Row
from nifos_stream.training.validation import figures, neutral_offset, row_weights, validation_sample


def test_small_sources_are_heard_and_their_poles_weigh_alike() -> None:
    many = [Row("", 0, "many")] * 10 + [Row("", 1, "many")] * 20 + [Row("", 2, "many")] * 70
    few = [Row("", 0, "few")] * 3 + [Row("", 1, "few")]
    weights = row_weights(many + few)
    of_many, of_few = weights[: len(many)], weights[len(many) :]
    assert of_many.sum() == pytest.approx(10.0)
    assert of_many[:10].sum() == pytest.approx(of_many[30:].sum())
    assert of_many[10] == pytest.approx(0.1)
    assert of_few == pytest.approx([0.5] * 4)


def test_the_sample_takes_a_source_whole_or_its_first_rows() -> None:
    rows = [Row(str(number), 0, source) for number in range(1200) for source in ("nsmc_raw", "kote")]
    sample = validation_sample(rows)
    assert [row.text for row in sample if row.source == "kote"] == [str(number) for number in range(1200)]
    assert [row.text for row in sample if row.source == "nsmc_raw"] == [str(number) for number in range(1000)]


def test_figures_are_counted_per_source_and_over_all() -> None:
    rows = [Row("", 0, "a"), Row("", 2, "a"), Row("", 1, "b"), Row("", 2, "b")]
    logits = np.array([[2, 0, 1], [1, 2, 0], [0, 2, 1], [0, 1, 2]], dtype=np.float32)
    told = figures(rows, logits)
    assert (told["a"], told["b"], told["pooled"]) == (0.5, 1.0, 0.75)
    assert told["macro_f1"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3, abs=1e-4)
    assert told["binary"] == pytest.approx(2 / 3, abs=1e-4)


def people_and_ratings() -> tuple[list[Row], np.ndarray]:
    """Neutral rows of a rating that an offset of 0.3 finds, and rows of kote that 0.6 and more lose."""
    rows = [Row("", 1, "nsmc_raw")] * 10 + [Row("", 0, "nsmc_raw")] * 10 + [Row("", 2, "kote")] * 10
    logits = np.array([[0.28, 0, 0]] * 10 + [[3.0, 0, 0]] * 10 + [[0, 0, 0.58]] * 10)
    return rows, logits


def test_neutral_is_found_more_often_while_macro_f1_gains() -> None:
    rows, logits = people_and_ratings()
    assert neutral_offset(rows, logits) == 0.3


def test_no_source_that_people_labelled_pays_for_what_neutral_gains() -> None:
    rows, logits = people_and_ratings()
    late = logits.copy()
    late[:10, 0] = 0.88
    assert neutral_offset(rows, late) == 0.0
    assert neutral_offset([Row("", row.label, "nsmc_raw") for row in rows], late) == 0.0
    many = [*rows, *[Row("", 1, "goemotions_ko")] * 40]
    gains = np.concatenate([late, np.array([[0.88, 0, 0]] * 40)])
    assert neutral_offset(many, gains) == 0.0
    assert neutral_offset([Row("", row.label, "nsmc_raw") for row in many], gains) == 0.9
