"""What a model directory says of itself to people: model_card.json and README.md. Computes nothing."""

import datetime as dt
import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nifos_stream.messages import LABELS, LABELS_KO
from nifos_stream.training import corpus
from nifos_stream.training.evaluate import Evaluation, Figures
from nifos_stream.training.export import About

PACKAGES = ("nifos-stream", "torch", "transformers", "tokenizers", "numpy")
LICENCES = {
    "nsmc_raw": "e9t/nsmc, CC0 1.0",
    "kodoli": "cardy20/KODOLI, CC BY-SA 4.0",
    "kote": "searle-j/KOTE, MIT",
    "goemotions_ko": "monologg/GoEmotions-Korean, Apache-2.0, on GoEmotions, CC BY 4.0",
    "sentineg": "SKT-LSL KoBEST SentiNeg, CC BY-SA 4.0",
    "3i4k_weak": "warnikchow/3i4k, CC BY-SA 4.0",
    "chatbot_weak": "songys/Chatbot_data, MIT",
    "encoder": "intfloat/multilingual-e5-small, MIT, cut to Korean pieces",
}
REMARKS = (
    "Temperature and label offsets were fitted on `valid`; `test` and the holdout were only judged.",
    "Ratings of 5 or 6 stars stand for neutral in nsmc_raw, though about half of them read as negative;",
    "machine-translated rows (goemotions_ko) and the border of neutral and negative are the weakest",
    "points.",
)
_WEIGHTS = {
    "plain": "fp32",
    "int8-rows": "int8, one scale per row (`NAME` int8, `NAME.scale` float32; W = int8 × scale)",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What a model was trained on: the file's SHA-256 and its rows by source and label."""

    sha256: str
    rows: int
    by_source: dict[str, dict[str, int]]


def counted(file: Path) -> Counts:
    """Count a labelled file."""
    found = Counter((row.source, LABELS[row.label].value) for row in corpus.read(file))
    by_source: dict[str, dict[str, int]] = {}
    for (source, label), rows in sorted(found.items()):
        by_source.setdefault(source, {})[label] = rows
    return Counts(corpus.fingerprint(file), found.total(), by_source)


def write(
    directory: Path,
    about: About,
    data: Counts | None,
    training: Mapping[str, Any],
    judged: Mapping[str, Evaluation],
    *,
    revision: str | None = None,
    licences: Mapping[str, str] = LICENCES,
    remarks: Sequence[str] = REMARKS,
    today: dt.date | None = None,
) -> None:
    """Write model_card.json and README.md into the model's directory.

    data: None when it is not known what the model was trained on. revision: where nothing was judged.
    licences: of each source of the data. remarks: lines for people; both are the bundled model's by default.
    """
    card = {
        **asdict(about),
        "revision": revision or next(iter(judged.values())).revision,
        "labels": [label.value for label in LABELS],
        "labels_ko": [LABELS_KO[label] for label in LABELS],
        "date": (today or dt.datetime.now(dt.UTC).date()).isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "data": None if data is None else asdict(data),
        "training": dict(training),
        "metrics": {name: _metrics(one) for name, one in judged.items()},
        "licences": dict(licences),
    }
    text = json.dumps(card, ensure_ascii=False, indent=2) + "\n"
    (directory / "model_card.json").write_text(text, encoding="utf-8")
    (directory / "README.md").write_text(_readme(card, judged, remarks), encoding="utf-8")


def _metrics(judged: Evaluation) -> dict[str, Any]:
    """All figures; texts of the data have no place in a card that goes round with the model."""
    return {name: value for name, value in judged.as_dict().items() if name != "mistakes"}


def _readme(card: Mapping[str, Any], judged: Mapping[str, Evaluation], remarks: Sequence[str]) -> str:
    names = ", ".join(f"{place} {LABELS_KO[label]} ({label.value})" for place, label in enumerate(LABELS))
    lines = [
        f"# {card['name']}",
        "",
        f"Korean sentiment in three classes: {names}. Revision {card['revision']}, {card['date']}.",
        "",
        f"- Reads {card['max_length']} tokens; cleaning: {', '.join(card['cleaning'])};",
        f"  temperature {card['temperature']}.",
        *_trained_on(card["data"]),
        f"- Weights: {_WEIGHTS[card['weights']]}.",
        "",
    ]
    if judged:
        lines += [
            "| file | source | rows | accuracy | macro F1 | negative or positive | calibration error |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
    for file, evaluation in judged.items():
        lines.append(_line(file, "all", evaluation.figures))
        if len(evaluation.by_source) > 1:
            lines += [_line(file, source, one) for source, one in evaluation.by_source.items()]
    lines += ["", *remarks, ""]
    if card["licences"]:
        lines += ["Sources and licences:", ""]
        lines += [*(f"- {source}: {licence}" for source, licence in card["licences"].items()), ""]
    return "\n".join(lines)


def _trained_on(data: Mapping[str, Any] | None) -> Sequence[str]:
    if data is None:
        return ("- Trained elsewhere; what is known of it stands in `model_card.json`.",)
    return (
        f"- Trained on {data['rows']:,} rows (SHA-256 of the file {data['sha256'][:16]}…), counts and all",
        "  hyperparameters in `model_card.json`.",
    )


def _line(file: str, source: str, one: Figures) -> str:
    binary = "" if one.binary_accuracy is None else f"{one.binary_accuracy:.3f}"
    cells = (
        file,
        source,
        f"{one.rows:,}",
        f"{one.accuracy:.3f}",
        f"{one.macro_f1:.3f}",
        binary,
        f"{one.ece:.3f}",
    )
    return f"| {' | '.join(cells)} |"
