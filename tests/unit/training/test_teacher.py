import numpy as np
import pytest

from nifos_stream.training import teacher
from nifos_stream.training.teacher import Linear

WORDS = {"a": ("나빴다", "그냥 그랬다", "좋았다"), "b": ("좋았다", "그냥 그랬다", "나빴다")}
TEXTS, LABELS, SOURCES = [], [], []
for source, words in WORDS.items():
    for number in range(60):
        TEXTS.append(f"{number}번 길이 {words[number % 3]}")
        LABELS.append(number % 3)
        SOURCES.append(source)
LABELS = np.array(LABELS)
EACH = {"a": Linear(10.0), "b": Linear(10.0)}


def test_each_source_has_a_teacher_that_knows_how_its_people_label() -> None:
    told = teacher.cross_fitted(TEXTS, LABELS, SOURCES, EACH)
    assert told.sum(1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert (told.argmax(1) == LABELS).all()


def test_a_teacher_says_of_a_row_what_it_would_without_having_seen_it() -> None:
    told = teacher.cross_fitted(TEXTS, LABELS, SOURCES, EACH)
    wrong = LABELS.copy()
    wrong[0] = 2
    assert teacher.cross_fitted(TEXTS, wrong, SOURCES, EACH)[0] == pytest.approx(told[0])


def test_a_source_without_a_teacher_is_told_nothing() -> None:
    told = teacher.cross_fitted(TEXTS, LABELS, SOURCES, {"a": EACH["a"], "absent": EACH["a"]})
    assert np.isnan(told[60:]).all()
    assert not np.isnan(told[:60]).any()


def test_a_label_that_a_source_never_carries_is_unlikely_and_possible() -> None:
    poles = [row for row in range(60) if LABELS[row] != 1]
    told = teacher.cross_fitted(
        [TEXTS[row] for row in poles], LABELS[poles], ["a"] * len(poles), {"a": EACH["a"]}
    )
    assert told[:, 1] == pytest.approx(np.full(len(poles), 1e-4), rel=1e-3)


def test_a_target_is_a_share_of_the_teachers_word_and_the_rest_the_label() -> None:
    told = np.array([[0.5, 0.3, 0.2], [np.nan] * 3], dtype=np.float32)
    targets = teacher.mixed(np.array([0, 1]), told, ["a", "b"], {"a": 0.4})
    assert targets == pytest.approx(np.array([[0.8, 0.12, 0.08], [0.0, 1.0, 0.0]]))
