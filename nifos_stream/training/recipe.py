"""How a model is fine-tuned: every number that decides the outcome. Knows no data and no model."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS, Label
from nifos_stream.model.cleaning import Cleaning
from nifos_stream.training import corpus

StopOn = Literal["accuracy", "macro_f1", "loss"]
Precision = Literal["fp32", "bf16"]
PLATEAU_FACTOR, PLATEAU_PATIENCE = 0.5, 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done, apart from the data.

    max_length: tokens with [CLS] and [SEP]; more are cut. patience: so many epochs without a better `stop_on`
    end it. reduce_on_plateau: halve the rate after PLATEAU_PATIENCE + 1 such epochs. class_weights: of
    LABELS. source_weights: of the sources that do not weigh 1. precision: of the products; weights are fp32.
    """

    base: str
    max_length: int = 60
    dropout: float = 0.2
    learning_rate: float = 5e-6
    weight_decay: float = 0.01
    batch_size: int = 128
    epochs: int = 50
    patience: int = 3
    stop_on: StopOn = "accuracy"
    reduce_on_plateau: bool = False
    cleaning: tuple[str, ...] = ("nfc", "line_breaks", "repeats", "spaces")
    kept: str = ""
    class_weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    source_weights: Mapping[str, float] = field(default_factory=dict)
    precision: Precision = "fp32"
    seed: int = 42

    def weights_of(self, rows: Sequence[corpus.Row]) -> list[float]:
        """How much each row matters. UserError for a source that no row has."""
        sources = {row.source for row in rows}
        if unknown := sorted(set(self.source_weights) - sources):
            raise UserError(
                f"No row is of source {unknown[0]!r}; the sources are {', '.join(sorted(sources))}."
            )
        return [self.class_weights[row.label] * self.source_weights.get(row.source, 1.0) for row in rows]

    def clean(self) -> Cleaning:
        """The cleaning; UserError when its steps are not valid."""
        return Cleaning(self.cleaning, self.kept)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as JSON has them."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def balanced(rows: Sequence[corpus.Row]) -> tuple[float, float, float]:
    """Weights of LABELS with which each label matters as much as another; 1 on average over the rows.

    A label without rows gets 1.
    """
    found = Counter(row.label for row in rows)
    negative, neutral, positive = (
        len(rows) / (len(found) * found[place]) if found[place] else 1.0 for place in range(len(LABELS))
    )
    return round(negative, 6), round(neutral, 6), round(positive, 6)


def class_weights(said: Mapping[str, float], words: Mapping[str, Label]) -> tuple[float, float, float]:
    """Weights of LABELS from {label as a person writes it: weight}; 1 for those that are not said."""
    weights = dict.fromkeys(LABELS, 1.0)
    for word, weight in said.items():
        label = words.get(word.strip().lower())
        if label is None or weight <= 0:
            raise UserError(
                f"Class weight {word}={weight} is not one of 부정, 중립, 긍정 with a weight above 0."
            )
        weights[label] = weight
    return weights[Label.NEGATIVE], weights[Label.NEUTRAL], weights[Label.POSITIVE]


def remember(path: Path, record: Mapping[str, Any]) -> None:
    """Write down what a training was started with; or UserError when it was started with something else."""
    before = remembered(path)
    if before is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return
    changed = [name for name in record if record[name] != before.get(name)]
    if changed:
        said = "; ".join(f"{name} was {before.get(name)} and is {record[name]}" for name in changed)
        raise UserError(
            f"{path.parent.parent} holds a training that was begun otherwise ({said}); "
            "give the same options to go on with it, or --restart to begin anew."
        )


def remembered(path: Path) -> dict[str, Any] | None:
    """Return what `remember` wrote; None when it has not, or was killed over it."""
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return record
