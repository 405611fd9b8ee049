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


def test_spliced_texts_are_made_of_words_that_stood_in_a_row() -> None:
    texts = ["가 나 다 라 마 바", "1 2 3"]
    made = teacher.spliced(texts, 200, np.random.default_rng(1))
    assert len(made) == 200
    whole = " ".join(texts[0].split()), " ".join(texts[1].split())
    alone = [text for text in made if text in whole[0] or text in whole[1]]
    assert 60 < len(alone) < 200, "about half of them have a second part"
    assert all(len(text.split()) >= 2 for text in made), "half of a text at least"
    assert set(" ".join(made).split()) == set(" ".join(texts).split())


def test_what_a_teacher_says_of_spliced_texts_comes_from_those_it_has_not_seen() -> None:
    texts, labels = TEXTS[:60], LABELS[:60]
    made, told = teacher.told_of_spliced(texts, labels, EACH["a"], 80)
    assert told.shape == (len(made), 3)
    assert told.sum(1) == pytest.approx(np.ones(len(made)), abs=1e-5)
    bad = [number for number, text in enumerate(made) if "나빴다" in text and "좋았다" not in text]
    assert told[bad].argmax(1).mean() < 0.2


def test_a_target_is_a_share_of_the_teachers_word_and_the_rest_the_label() -> None:
    told = np.array([[0.5, 0.3, 0.2], [np.nan] * 3], dtype=np.float32)
    targets = teacher.mixed(np.array([0, 1]), told, ["a", "b"], {"a": 0.4})
    assert targets == pytest.approx(np.array([[0.8, 0.12, 0.08], [0.0, 1.0, 0.0]]))
