import numpy as np

from nifos_stream.training.corpus import Row
from nifos_stream.training.mistakes import Mistake, worst

ROWS = [
    Row("맞았다", 2, "a"),
    Row("조금\n틀렸다", 0, "a"),
    Row("크게 틀렸다", 1, "b"),
    Row("못 읽었다", 0, "b"),
]
TOLD = np.array([[0.0, 0.0, 1.0], [0.3, 0.5, 0.2], [0.9, 0.05, 0.05], [np.nan] * 3])


def test_the_surest_wrong_row_comes_first_and_what_was_not_read_is_no_mistake() -> None:
    assert worst(ROWS, TOLD, 10) == (
        Mistake("크게 틀렸다", "neutral", "negative", 0.9, "b"),
        Mistake("조금 틀렸다", "negative", "neutral", 0.5, "a"),
    )


def test_no_more_are_named_than_were_asked_for_and_long_texts_are_cut() -> None:
    long = [Row("길다 " * 50, 0, "a"), *ROWS[1:]]
    (only,) = worst(long, np.array([[0.0, 0.0, 1.0], *TOLD[1:]]), 1)
    assert len(only.text) == 60
    assert only.text.endswith("…")
    assert worst(ROWS, TOLD, 0) == ()


def test_a_model_that_is_always_right_makes_none() -> None:
    assert worst(ROWS[:1], TOLD[:1], 5) == ()
