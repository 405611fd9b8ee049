"""`lengths`: how long the texts of a file are in tokens, and which limit covers most of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from nifos_stream.commands.evaluate import refuse_unless_drawable
from nifos_stream.errors import UserError
from nifos_stream.files import Columns, Reject, Table, parse_mapping

if TYPE_CHECKING:
    from nifos_stream.training.lengths import Lengths
    from nifos_stream.training.plots import Saved

TEXTS_PER_CALL = 10_000


@dataclass(frozen=True, slots=True)
class LengthsOptions:
    """coverage: share of texts, in (0, 1], that should fit. model: whose tokenizer and cleaning count.

    column: FIELD=NAME, such as text=본문. clean: other cleaning steps, by comma. plots: directory of the
    plot; None draws none.
    """

    coverage: float = 0.96
    model: str = "bundled"
    column: Sequence[str] = ()
    clean: str | None = None
    plots: Path | None = None
    as_json: bool = False


def run_lengths(file: Path, options: LengthsOptions, console: Console | None = None) -> None:
    """Measure the texts of a file, and say what a limit costs; `plots` gets `FILE-lengths.html` and .png.

    UserError when the file, the model or the coverage does not hold.
    """
    console = console or Console(soft_wrap=True, highlight=False)
    if not 0 < options.coverage <= 1:
        raise UserError(f"Coverage {options.coverage} is not a share above 0 and up to 1.")
    if options.plots is not None:
        refuse_unless_drawable(options.plots)
    lengths = _measure(file, options)
    saved = None if options.plots is None else _plot(lengths, options.plots, file)
    if options.as_json:
        console.print(Text(json.dumps(_facts(lengths, saved))))
        return
    for line in _lines(file.name, lengths, saved):
        console.print(Text(line))


def _plot(lengths: "Lengths", directory: Path, file: Path) -> "Saved":
    from nifos_stream.training import plots

    stem = file.name.split(".")[0] or "texts"
    return plots.save(plots.lengths_figure(lengths), directory / f"{stem}-lengths")


def _measure(file: Path, options: LengthsOptions) -> "Lengths":
    from nifos_stream.model import directory
    from nifos_stream.model.cleaning import Cleaning
    from nifos_stream.model.tokenizer import length_of
    from nifos_stream.training import grouping, lengths

    path = directory.find(options.model)
    tokenizer, manifest = directory.read_tokenizer(path), directory.read_manifest(path)
    cleaning = Cleaning(manifest.cleaning, manifest.kept)
    if options.clean is not None:
        cleaning = Cleaning(tuple(step.strip() for step in options.clean.split(",") if step.strip()))
    texts, found = _texts(file, options), list[int]()
    while some := list(islice(texts, TEXTS_PER_CALL)):
        found += [length_of(ids) for ids in grouping.encode(tokenizer, cleaning, some)]
    if not found:
        raise UserError(f"{file} has no row with a text.")
    return lengths.measure(found, options.coverage)


def _texts(file: Path, options: LengthsOptions) -> Iterator[str]:
    from nifos_stream.training.dataset import FIELDS

    columns = Columns(parse_mapping(options.column), FIELDS)
    with Table(file, columns) as table:
        for row in table:
            if isinstance(row, Reject):
                continue
            for column, name in columns.resolve(row.values).items():
                if name == "text" and (text := row.values[column]) and str(text).strip():
                    yield str(text)


def _lines(name: str, lengths: "Lengths", saved: "Saved | None") -> Iterator[str]:
    yield (
        f"{name}: {lengths.texts:,} texts of {lengths.shortest} to {lengths.longest} tokens "
        f"([CLS] and [SEP] included), mean {lengths.mean:.1f}, median {lengths.median}"
    )
    yield (
        f"to keep {lengths.wanted:.1%} of them whole takes {lengths.chosen} tokens: "
        f"{lengths.kept:,} ({lengths.coverage:.2%}) are whole then, {lengths.cut:,} are cut"
    )
    yield f"padding each text to {lengths.chosen} would waste {lengths.padding:.0%} of the arithmetic"
    if saved is None:
        return
    yield f"plot: {saved.page}" + (f" and {saved.picture}" if saved.picture else "")
    if saved.problem:
        yield saved.problem


def _facts(lengths: "Lengths", saved: "Saved | None") -> dict[str, object]:
    return {
        "texts": lengths.texts,
        "min": lengths.shortest,
        "max": lengths.longest,
        "mean": round(lengths.mean, 3),
        "median": lengths.median,
        "wanted": lengths.wanted,
        "length": lengths.chosen,
        "kept": lengths.kept,
        "cut": lengths.cut,
        "coverage": round(lengths.coverage, 6),
        "padding_waste": round(lengths.padding, 6),
        "html": str(saved.page) if saved else None,
        "png": str(saved.picture) if saved and saved.picture else None,
    }
