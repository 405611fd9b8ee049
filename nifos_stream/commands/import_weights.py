"""`import-weights`: a state dict that somebody has becomes a model directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from nifos_stream.errors import UserError
from nifos_stream.files.columns import parse_mapping
from nifos_stream.messages import LABELS, LABELS_KO, Label
from nifos_stream.settings import ModelSettings

if TYPE_CHECKING:
    from nifos_stream.training.evaluate import Evaluation
    from nifos_stream.training.export import About


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """labels: what the outputs stand for, such as 부정,긍정,중립. clean, kept: the cleaning of its training.

    check: labelled rows to try it on; column, check_labels: how they are written, as for `train`.
    """

    base: str
    labels: str
    out: Path
    max_length: int = 60
    clean: str = "nfc,line_breaks,spaces"
    kept: str = ""
    check: Path | None = None
    column: Sequence[str] = ()
    check_labels: str | None = None
    name: str | None = None


def run_import(file: Path, options: ImportOptions, console: Console | None = None) -> None:
    """Check the weights against the base's architecture, write the directory, and try it on rows.

    UserError when file, base, labels or rows do not hold; no directory is written when the weights do not.
    """
    from nifos_stream.model.cleaning import Cleaning
    from nifos_stream.training import base, dataset, export, imported

    console = console or Console(soft_wrap=True, highlight=False)
    if (options.out / "config.json").exists():
        raise UserError(f"{options.out} already holds a model; name another directory.")
    meant = dataset.parse_labels(options.labels)
    labels = [meant[str(place)] for place in range(len(LABELS)) if str(place) in meant]
    if len(labels) != len(LABELS):
        raise UserError(f"--labels {options.labels!r} must say what outputs 0, 1 and 2 stand for.")
    steps = tuple(step.strip() for step in options.clean.split(",") if step.strip())
    Cleaning(steps, options.kept)
    start = base.read(options.base)
    module = base.empty(start)
    base.check_length(start, options.max_length)
    found = imported.fitted(imported.read(file), module, labels)
    name = options.name or options.out.absolute().name
    about = export.About(name, options.max_length, steps, kept=options.kept, weights="plain")
    export.write(options.out, found.state, module.config, start.tokenizer, about)
    for note in found.notes:
        console.print(Text(f"  {note}"))
    console.print(Text(f"{len(found.state)} weights of {file} fit {options.base}; written to {options.out}"))
    _describe(file, options, about, found.notes, _checked(options, labels, console))


def _describe(
    file: Path,
    options: ImportOptions,
    about: "About",
    notes: Sequence[str],
    judged: "Evaluation | None",
) -> None:
    """Write the card."""
    from nifos_stream.model import directory
    from nifos_stream.training import card, corpus

    history = {
        "imported_from": file.name,
        "imported_sha256": corpus.fingerprint(file),
        "base": options.base,
        "labels_given": options.labels,
        "changes": list(notes),
    }
    remarks = ("Its weights were imported; scores are as they came, without a temperature of their own.",)
    card.write(
        options.out,
        about,
        None,
        history,
        {} if judged is None else {"check": judged},
        revision=directory.load(options.out).revision,
        licences={},
        remarks=remarks,
    )


def _checked(options: ImportOptions, labels: Sequence[Label], console: Console) -> "Evaluation | None":
    """Say how well the model does on labelled rows, and whether another order of labels would do better."""
    if options.check is None:
        return None
    from nifos_stream.model import load_model
    from nifos_stream.training import account, dataset
    from nifos_stream.training.evaluate import judge

    numbers = dataset.parse_labels(options.check_labels) if options.check_labels else dataset.NUMBERS
    rows = dataset.read(options.check, columns=parse_mapping(options.column), numbers=numbers)
    for line in account.of(rows):
        console.print(Text(line))
    judged = judge(load_model(options.out, settings=ModelSettings(dtype="fp32")), rows.rows, rows.sha256)
    told = judged.figures
    console.print(
        Text(f"{rows.name}: accuracy {told.accuracy:.4f}, macro F1 {told.macro_f1:.4f}, {told.rows:,} texts")
    )
    better, accuracy = best_order(np.array(told.confusion), labels)
    if accuracy > told.accuracy:
        said = ",".join(LABELS_KO[label] for label in better)
        console.print(
            Text(
                f"WARNING: with --labels {said} the accuracy would be {accuracy:.4f}. Either the outputs "
                "stand for other labels than was said, or the numbers of the file do."
            )
        )
    return judged


def best_order(confusion: NDArray[np.int64], labels: Sequence[Label]) -> tuple[tuple[Label, ...], float]:
    """Return what the outputs should stand for, and the accuracy with that; the given order wins a draw.

    confusion: rows by label, then by what the model said when its outputs stood for `labels`.
    """
    orders = sorted(permutations(range(len(LABELS))), key=lambda meant: meant != tuple(range(len(LABELS))))
    said = np.arange(len(LABELS))
    # meant[k]: the label that is meant where the model says label k.
    meant = max(orders, key=lambda meant: int(confusion[list(meant), said].sum()))
    right = int(confusion[list(meant), said].sum())
    return tuple(LABELS[meant[LABELS.index(label)]] for label in labels), right / int(confusion.sum())
