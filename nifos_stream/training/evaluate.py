"""How good a model is on labelled rows. Knows nothing of how it was made."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nifos_stream.messages import LABELS, Label
from nifos_stream.model import Classifier, Reading, load_model
from nifos_stream.settings import ModelSettings
from nifos_stream.training import corpus, dataset
from nifos_stream.training.mistakes import Mistake, worst

BINS = 15
ROWS_PER_CALL = 512
_NEGATIVE, _NEUTRAL, _POSITIVE = range(3)
_SMALLEST = 1e-12


def _silent(done: int, of: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One label: how many rows carry it, and how well they are found."""

    rows: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose highest probability lies in (low, high]: their mean score, and the share that is right."""

    low: float
    high: float
    rows: int
    score: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Figures:
    """How well probabilities fit labels.

    loss: mean cross-entropy in nats. The macro figures are means over the labels that occur.
    ece: expected calibration error over 15 equally wide bins of the highest probability.
    binary_accuracy: argmax of negative and positive on the rows labelled so; None without such rows.
    confusion: rows by label, then by what the model said.
    """

    rows: int
    accuracy: float
    loss: float
    macro_f1: float
    macro_precision: float
    macro_recall: float
    ece: float
    binary_accuracy: float | None
    by_class: dict[str, ClassFigures]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model on a file. `unread` rows gave no probabilities and are in no figure.

    reliability: of all rows together. mistakes: the surest wrong rows, as many as were asked for.
    """

    model: str
    revision: str
    file_sha256: str
    figures: Figures
    by_source: dict[str, Figures]
    unread: int
    seconds: float
    texts_per_second: float
    reliability: tuple[Bin, ...]
    mistakes: tuple[Mistake, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, the pooled figures at the top level."""
        values = asdict(self)
        pooled: dict[str, Any] = values.pop("figures")
        return pooled | values


def evaluate(
    model: str | Path,
    file: Path,
    *,
    settings: ModelSettings | None = None,
    columns: Mapping[str, str] | None = None,
    numbers: Mapping[str, Label] = dataset.NUMBERS,
    mistakes: int = 0,
    report: Callable[[int, int], None] = _silent,
    now: Callable[[], float] = time.perf_counter,
) -> Evaluation:
    """Evaluate a model directory, or "bundled", on a labelled file; rows that repeat another count too.

    columns, numbers: as `dataset.read` has them. mistakes: most wrong rows to name.
    report: called with the rows done and the rows there are.
    Raises UserError when the model or the file cannot be read.
    """
    data = dataset.read(file, columns=columns, numbers=numbers, repeated=True)
    classifier = load_model(model, settings=settings)
    judged = judge(classifier, data.rows, data.sha256, mistakes=mistakes, report=report, now=now)
    return replace(judged, unread=judged.unread + data.missing)


def judge(
    classifier: Classifier,
    rows: Sequence[corpus.Row],
    file_sha256: str,
    *,
    mistakes: int = 0,
    report: Callable[[int, int], None] = _silent,
    now: Callable[[], float] = time.perf_counter,
) -> Evaluation:
    """Evaluate a loaded model on rows of the file with that SHA-256; ValueError when none could be read."""
    began = now()
    probabilities = classify(classifier, [row.text for row in rows], report)
    seconds = now() - began
    read = ~np.isnan(probabilities[:, 0])
    labels = np.array([row.label for row in rows])
    sources = np.array([row.source for row in rows])
    by_source = {
        str(source): figures(labels[chosen], probabilities[chosen])
        for source in np.unique(sources)
        if (chosen := (sources == source) & read).any()
    }
    pooled, told = figures(labels[read], probabilities[read]), probabilities[read]
    return Evaluation(
        classifier.info.name,
        classifier.info.revision,
        file_sha256,
        pooled,
        by_source,
        int((~read).sum()),
        seconds,
        len(rows) / max(seconds, 1e-9),
        reliability(told.max(1), told.argmax(1) == labels[read]),
        worst(rows, probabilities, mistakes),
    )


def classify(
    classifier: Classifier, texts: Sequence[str], report: Callable[[int, int], None] = _silent
) -> NDArray[np.float64]:
    """Return the probabilities (texts, 3); a row of NaN where a text could not be read."""
    found = np.full((len(texts), len(LABELS)), np.nan)
    for start in range(0, len(texts), ROWS_PER_CALL):
        readings = classifier.classify(texts[start : start + ROWS_PER_CALL])
        for place, reading in enumerate(readings, start):
            if isinstance(reading, Reading):
                found[place] = reading.probabilities
        report(min(start + ROWS_PER_CALL, len(texts)), len(texts))
    return found


def figures(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> Figures:
    """Compare labels (rows) with probabilities (rows, 3)."""
    if not len(labels):
        raise ValueError("There are no rows to judge.")
    said = probabilities.argmax(1)
    confusion = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    np.add.at(confusion, (labels, said), 1)
    by_class = {label.value: _class_figures(confusion, place) for place, label in enumerate(LABELS)}
    seen = [one for one in by_class.values() if one.rows]
    return Figures(
        rows=len(labels),
        accuracy=float((said == labels).mean()),
        loss=float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], _SMALLEST)).mean()),
        macro_f1=sum(one.f1 for one in seen) / len(seen),
        macro_precision=sum(one.precision for one in seen) / len(seen),
        macro_recall=sum(one.recall for one in seen) / len(seen),
        ece=calibration_error(probabilities.max(1), said == labels),
        binary_accuracy=_binary_accuracy(labels, probabilities),
        by_class=by_class,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )


def calibration_error(scores: NDArray[np.floating], right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Return the mean distance of score and accuracy over equally wide bins, weighted by their rows."""
    found = reliability(scores, right, bins)
    return sum(one.rows * abs(one.score - one.accuracy) for one in found) / len(scores)


def reliability(scores: NDArray[np.floating], right: NDArray[np.bool_], bins: int = BINS) -> tuple[Bin, ...]:
    """Compare scores with how often they are right, in equally wide bins; those without rows are left out."""
    places = np.clip(np.ceil(scores * bins).astype(np.int64) - 1, 0, bins - 1)
    return tuple(
        Bin(
            low=int(place) / bins,
            high=(int(place) + 1) / bins,
            rows=int((places == place).sum()),
            score=float(scores[places == place].mean()),
            accuracy=float(right[places == place].mean()),
        )
        for place in np.unique(places)
    )


def _class_figures(confusion: NDArray[np.int64], place: int) -> ClassFigures:
    hits, rows, said = (
        int(n) for n in (confusion[place, place], confusion[place].sum(), confusion[:, place].sum())
    )
    return ClassFigures(rows, hits / max(1, said), hits / max(1, rows), 2 * hits / max(1, rows + said))


def _binary_accuracy(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> float | None:
    chosen = labels != _NEUTRAL
    if not chosen.any():
        return None
    positive = probabilities[chosen, _POSITIVE] > probabilities[chosen, _NEGATIVE]
    return float((positive == (labels[chosen] == _POSITIVE)).mean())
