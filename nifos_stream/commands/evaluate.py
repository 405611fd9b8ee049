"""`evaluate`: how good a model is on labelled rows, over all and by source."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from nifos_stream.errors import UserError
from nifos_stream.files.columns import parse_mapping
from nifos_stream.messages import LABELS, LABELS_KO
from nifos_stream.settings import ModelSettings

if TYPE_CHECKING:
    from nifos_stream.training.evaluate import Evaluation, Figures


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """column: FIELD=NAME, such as label=감정. labels: what 0, 1 and 2 stand for, as for `train`."""

    column: Sequence[str] = ()
    labels: str | None = None
    as_json: bool = False


def run_evaluate(
    file: Path, settings: ModelSettings, options: EvaluateOptions, console: Console | None = None
) -> None:
    """Print the figures of a model on a labelled file. UserError when model or file do not hold."""
    from nifos_stream.training import dataset
    from nifos_stream.training.evaluate import evaluate

    console = console or Console(soft_wrap=True, highlight=False)
    numbers = dataset.parse_labels(options.labels) if options.labels else dataset.NUMBERS
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("labelling")
        try:
            found = evaluate(
                settings.path,
                file,
                settings=settings,
                columns=parse_mapping(options.column),
                numbers=numbers,
                report=lambda done, of: progress.update(task, completed=done, total=of),
            )
        except ValueError as error:
            raise UserError(f"{file}: {error}") from None
    if options.as_json:
        console.print(Text(json.dumps(found.as_dict(), ensure_ascii=False)))
    else:
        _print(found, console)


def _print(found: "Evaluation", console: Console) -> None:
    console.print(
        f"{found.model} {found.revision}: {found.figures.rows:,} rows, {found.texts_per_second:,.0f} texts/s"
        + (f", {found.unread:,} rows unread" if found.unread else "")
    )
    columns = ("rows", "accuracy", "macro F1", "precision", "recall", "loss", "ECE", "binary")
    table = Table("source", box=None)
    for column in columns:
        table.add_column(column, justify="right")
    for source, figures in {**found.by_source, "all": found.figures}.items():
        table.add_row(Text(source), *_row(figures), style="bold" if source == "all" else "")
    console.print(table)
    confusion = Table("is, down; said, across", *(LABELS_KO[label] for label in LABELS), box=None)
    for label, row in zip(LABELS, found.figures.confusion, strict=True):
        confusion.add_row(LABELS_KO[label], *(f"{count:,}" for count in row))
    console.print(confusion)


def _row(figures: "Figures") -> list[str]:
    binary = figures.binary_accuracy
    return [
        f"{figures.rows:,}",
        f"{figures.accuracy:.3f}",
        f"{figures.macro_f1:.3f}",
        f"{figures.macro_precision:.3f}",
        f"{figures.macro_recall:.3f}",
        f"{figures.loss:.3f}",
        f"{figures.ece:.3f}",
        "" if binary is None else f"{binary:.3f}",
    ]
