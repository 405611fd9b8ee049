"""`evaluate`: how good a model is on labelled rows, over all and by source, and where it is most wrong."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from nifos_stream.commands import tables
from nifos_stream.errors import UserError
from nifos_stream.files.columns import parse_mapping
from nifos_stream.messages import LABELS, LABELS_KO, Label
from nifos_stream.settings import ModelSettings
from nifos_stream.watch.look import label_text

if TYPE_CHECKING:
    from nifos_stream.training.evaluate import Evaluation, Figures
    from nifos_stream.training.mistakes import Mistake
    from nifos_stream.training.plots import Saved


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """column: FIELD=NAME, such as label=감정. labels: what 0, 1 and 2 stand for, as for `train`.

    mistakes: most wrong rows to show. plots: directory of the figures; None draws none.
    """

    column: Sequence[str] = ()
    labels: str | None = None
    as_json: bool = False
    mistakes: int = 10
    plots: Path | None = None


def run_evaluate(
    file: Path, settings: ModelSettings, options: EvaluateOptions, console: Console | None = None
) -> None:
    """Print the figures of a model on a labelled file. UserError when model or file do not hold."""
    from nifos_stream.training import dataset
    from nifos_stream.training.evaluate import evaluate

    console = console or Console(soft_wrap=True, highlight=False)
    if options.plots is not None:
        refuse_unless_drawable(options.plots)
    numbers = dataset.parse_labels(options.labels) if options.labels else dataset.NUMBERS
    err = Console(stderr=True)
    # Where it cannot be wiped away again, it would leave an empty line.
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("labelling")
        try:
            found = evaluate(
                settings.path,
                file,
                settings=settings,
                columns=parse_mapping(options.column),
                numbers=numbers,
                mistakes=options.mistakes,
                report=lambda done, of: progress.update(task, completed=done, total=of),
            )
        except ValueError as error:
            raise UserError(f"{file}: {error}") from None
    saved = _plots(found, options.plots, file) if options.plots is not None else {}
    if options.as_json:
        plots = {
            name: {"html": str(one.page), "png": str(one.picture) if one.picture else None}
            for name, one in saved.items()
        }
        facts = found.as_dict() | ({"plots": plots} if plots else {})
        console.print(Text(json.dumps(facts, ensure_ascii=False)))
        return
    _print(found, console)
    for one in saved.values():
        console.print(Text(f"plot: {one.page}" + (f" and {one.picture}" if one.picture else "")))
    for problem in dict.fromkeys(one.problem for one in saved.values() if one.problem):
        console.print(Text(problem))


def refuse_unless_drawable(directory: Path) -> None:
    """UserError, before a model works for minutes, where no figure can be made or kept."""
    try:
        from nifos_stream.training import plots  # noqa: F401 - whether it can be had is the question
    except ImportError as error:
        raise UserError(
            f"Plots need more packages ({error.name}): pip install 'nifos-stream[train]'."
        ) from None
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{directory} cannot be a directory of plots: {error.strerror or error}.") from None


def _plots(found: "Evaluation", directory: Path, file: Path) -> "dict[str, Saved]":
    """Draw what was found, as `FILE-confusion` and `FILE-reliability`, .html and .png."""
    from nifos_stream.training import plots

    stem = file.name.split(".")[0] or "rows"
    return {
        "confusion": plots.save(
            plots.confusion_figure(found.figures),
            directory / f"{stem}-confusion",
            without_korean=plots.confusion_figure(found.figures, korean=False),
        ),
        "reliability": plots.save(
            plots.reliability_figure(found.reliability, found.figures.ece), directory / f"{stem}-reliability"
        ),
    }


def _print(found: "Evaluation", console: Console) -> None:
    console.print(
        f"{found.model} {found.revision}: {found.figures.rows:,} rows, {found.texts_per_second:,.0f} texts/s"
        + (f", {found.unread:,} rows unread" if found.unread else "")
    )
    columns = ("rows", "accuracy", "macro\nF1", "macro\nprecision", "macro\nrecall", "loss", "ECE", "binary")
    table = tables.table("source", *columns, numbers=columns)
    for source, figures in {**found.by_source, "all": found.figures}.items():
        table.add_row(Text(source), *_row(figures), style="bold" if source == "all" else "")
    console.print(table)
    console.print(_confusion(found.figures))
    if found.mistakes:
        console.print("Wrong where it was most sure:")
        console.print(_mistakes(found.mistakes))


def _confusion(figures: "Figures") -> Table:
    columns = (*(LABELS_KO[label] for label in LABELS), "rows", "precision", "recall", "F1")
    table = tables.table("is, down; said, across", *columns, numbers=columns)
    for label, row in zip(LABELS, figures.confusion, strict=True):
        one = figures.by_class[label.value]
        shares = (f"{share:.3f}" for share in (one.precision, one.recall, one.f1))
        table.add_row(LABELS_KO[label], *(f"{count:,}" for count in row), f"{one.rows:,}", *shares)
    return table


def _mistakes(mistakes: "Sequence[Mistake]") -> Table:
    several = len({one.source for one in mistakes}) > 1
    columns = ("is", "said", "score", *(["source"] if several else []), "text")
    table = tables.table(*columns, numbers=["score"], folded="text")
    for one in mistakes:
        source = [Text(one.source)] if several else []
        told = (label_text(Label(one.label)), label_text(Label(one.said)), f"{one.score:.3f}")
        table.add_row(*told, *source, Text(one.text))
    return table


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
