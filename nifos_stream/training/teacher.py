"""Soft labels: what a linear model of character n-grams says of each row without having seen it.

A source's teacher reads that source alone, so it knows how its people label. People of two sources label the
same text differently, and a small source's rows are soon learned by heart: what the teacher says of a row
is how sure one can be of its label, not the label. Knows nothing of transformers.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

CLASSES = 3
# A label that no row of a source carries is not ruled out.
LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Linear:
    """A logistic regression on n-grams of 1 to `longest` characters that `least_rows` rows hold.

    looseness: the inverse of the penalty's strength. It stops after `iterations`, settled or not.
    """

    looseness: float
    longest: int = 5
    least_rows: int = 3
    iterations: int = 60


# Not for sentineg, whose test rows negate what its train rows say: n-grams know nothing of them.
TEACHERS: Mapping[str, Linear] = {
    "kodoli": Linear(2.0),
    "goemotions_ko": Linear(2.0),
    "kote": Linear(4.0),
    "nsmc_raw": Linear(1.5, longest=4, least_rows=10, iterations=30),
}


def cross_fitted(
    texts: Sequence[str],
    labels: NDArray[np.integer],
    sources: Sequence[str],
    teachers: Mapping[str, Linear] = TEACHERS,
    *,
    folds: int = 4,
    seed: int = 1,
) -> NDArray[np.float32]:
    """Return probabilities (rows, 3), each from a model that did not see the row; NaN without a teacher."""
    of_row = np.array(sources)
    told = np.full((len(texts), CLASSES), np.nan, dtype=np.float32)
    for source, teacher in teachers.items():
        rows = np.flatnonzero(of_row == source)
        if len(rows) == 0:
            continue
        counted, _ = _counted([texts[row] for row in rows.tolist()], teacher)
        fold = np.random.default_rng(seed).integers(0, folds, len(rows))
        for left_out in range(folds):
            seen, unseen = fold != left_out, fold == left_out
            told[rows[unseen]] = _told(teacher, counted[seen], labels[rows[seen]], counted[unseen])
    return told


def told_of_spliced(
    texts: Sequence[str],
    labels: NDArray[np.integer],
    teacher: Linear,
    count: int,
    *,
    folds: int = 4,
    seed: int = 1,
) -> tuple[list[str], NDArray[np.float32]]:
    """Make about `count` texts of one source out of parts of its own, and say what its teacher makes of them.

    A part comes from a text that this teacher did not see. Returns the texts and probabilities (texts, 3).
    A model that reads them learns what the teacher knows of words, and cannot learn rows by heart.
    """
    counted, of_words = _counted(texts, teacher)
    random = np.random.default_rng(seed)
    fold = random.integers(0, folds, len(texts))
    made: list[str] = []
    told = []
    for left_out in range(folds):
        unseen = np.flatnonzero(fold == left_out)
        parts = spliced([texts[row] for row in unseen.tolist()], count // folds, random)
        seen = fold != left_out
        told.append(_told(teacher, counted[seen], labels[seen], of_words.transform(parts)))
        made += parts
    return made, np.concatenate(told)


def spliced(texts: Sequence[str], count: int, random: np.random.Generator) -> list[str]:
    """Return `count` texts: some words in a row of one text, every other time some of a second one behind."""
    words = [text.split() for text in texts]

    def part() -> list[str]:
        chosen = words[int(random.integers(len(words)))]
        length = int(random.integers((len(chosen) + 1) // 2, len(chosen) + 1))
        start = int(random.integers(len(chosen) - length + 1))
        return chosen[start : start + length]

    return [" ".join(part() + (part() if random.random() < 0.5 else [])) for _ in range(count)]


def mixed(
    labels: NDArray[np.integer],
    told: NDArray[np.float32],
    sources: Sequence[str],
    shares: Mapping[str, float],
) -> NDArray[np.float32]:
    """Return targets (rows, 3): a source's share of what its teacher said, the rest the label itself."""
    hard = np.eye(CLASSES, dtype=np.float32)[labels]
    share = np.array([shares.get(source, 0.0) for source in sources], dtype=np.float32)[:, None]
    targets: NDArray[np.float32] = hard * (1 - share) + np.where(share > 0, told, hard) * share
    return targets


def _counted(texts: Sequence[str], teacher: Linear) -> tuple[csr_matrix, TfidfVectorizer]:
    counter = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(1, teacher.longest),
        min_df=teacher.least_rows,
        sublinear_tf=True,
        dtype=np.float32,
    )
    return counter.fit_transform(texts), counter


def _told(
    teacher: Linear, seen: csr_matrix, labels: NDArray[np.integer], unseen: csr_matrix
) -> NDArray[np.float32]:
    model = LogisticRegression(C=teacher.looseness, max_iter=teacher.iterations, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(seen, labels)
    told = np.full((unseen.shape[0], CLASSES), LEAST, dtype=np.float32)
    told[:, model.classes_] = model.predict_proba(unseen)
    sure: NDArray[np.float32] = told / told.sum(1, keepdims=True)
    return sure
