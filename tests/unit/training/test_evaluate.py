import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nifos_stream.settings import ModelSettings
from nifos_stream.training import evaluate, export
from nifos_stream.training.evaluate import calibration_error, figures

from . import tiny


def probabilities(*said: Sequence[float]) -> np.ndarray:
    return np.array(said)


def test_figures_agree_with_a_count_by_hand() -> None:
    labels = np.array([0, 0, 1, 2])
    told = probabilities([0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6])
    found = figures(labels, told)
    assert found.rows == 4
    assert found.accuracy == 0.75
    assert found.loss == pytest.approx(-np.log([0.8, 0.2, 0.6, 0.6]).mean())
    assert found.confusion == ((1, 1, 0), (0, 1, 0), (0, 0, 1))
    negative = found.by_class["negative"]
    assert (negative.rows, negative.precision, negative.recall) == (2, 1.0, 0.5)
    assert found.by_class["neutral"].precision == 0.5
    assert found.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert found.macro_recall == pytest.approx((0.5 + 1 + 1) / 3)
    assert found.macro_precision == pytest.approx((1 + 0.5 + 1) / 3)


def test_binary_accuracy_asks_only_negative_or_positive_and_skips_neutral_rows() -> None:
    told = probabilities([0.3, 0.5, 0.2], [0.3, 0.3, 0.4], [0.2, 0.7, 0.1], [0.5, 0.1, 0.4])
    assert figures(np.array([0, 2, 1, 2]), told).binary_accuracy == pytest.approx(2 / 3)
    assert figures(np.array([1]), told[:1]).binary_accuracy is None


def test_a_label_that_no_row_carries_is_not_in_the_macro_figures() -> None:
    found = figures(np.array([0, 2]), probabilities([0.9, 0.1, 0], [0, 0.1, 0.9]))
    assert found.macro_f1 == 1.0


def test_the_calibration_error_is_the_distance_of_score_and_accuracy() -> None:
    scores = np.array([0.9] * 10 + [0.5] * 10)
    right = np.array([True] * 9 + [False] + [True] * 8 + [False] * 2)
    assert calibration_error(scores, right) == pytest.approx(0.5 * 0.0 + 0.5 * 0.3)


def test_a_score_of_one_belongs_to_the_last_bin() -> None:
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0.0


def test_no_rows_have_no_figures() -> None:
    with pytest.raises(ValueError, match="no rows"):
        figures(np.array([], dtype=int), np.empty((0, 3)))


def test_a_model_directory_is_judged_on_a_file_by_source(tmp_path: Path) -> None:
    model = tiny.model()
    about = export.About("tiny", 12, ("nfc", "spaces"))
    export.write(tmp_path / "model", model.state_dict(), model.config, tiny.tokenizer(), about)
    lines = ["text\tlabel\tsource", "숲이 좋았다\t2\ta", "길이 나빴다\t0\ta", "그냥\t1\tb", " \t1\tb"]
    (tmp_path / "rows.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    told: list[tuple[int, int]] = []
    found = evaluate.evaluate(
        tmp_path / "model",
        tmp_path / "rows.tsv",
        settings=ModelSettings(dtype="fp32", device="cpu"),
        report=lambda done, of: told.append((done, of)),
    )
    assert (found.figures.rows, found.unread) == (3, 1)
    assert {source: one.rows for source, one in found.by_source.items()} == {"a": 2, "b": 1}
    assert told[-1] == (3, 3)
    values = json.loads(json.dumps(found.as_dict()))
    assert values["model"] == "tiny"
    assert {"accuracy", "macro_f1", "ece", "binary_accuracy"} <= set(values)
    assert {"accuracy", "macro_f1", "ece", "binary_accuracy"} <= set(values["by_source"]["a"])
