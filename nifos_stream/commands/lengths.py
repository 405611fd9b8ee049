"""`lengths`: how long the texts of a file are in tokens, and which limit covers most of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from nifos_stream.errors import UserError
from nifos_stream.files import Columns, Reject, Table, parse_mapping

if TYPE_CHECKING:
    from nifos_stream.training.lengths import Lengths
    from nifos_stream.training.plots import Saved

TEXTS_PER_CALL = 10_000


@dataclass(frozen=True, slots=True)
class LengthsOptions:
    """coverage: share of texts, in (0, 1], that should fit. model: whose tokenizer and cleaning count.

    column: FIELD=NAME, such as text=본문. clean: other cleaning steps, by comma. out: where the plots go.
    """

    coverage: float = 0.96
    model: str = "bundled"
    column: Sequence[str] = ()
    clean: str | None = None
    out: Path = Path()
    as_json: bool = False


def run_lengths(file: Path, options: LengthsOptions, console: Console | None = None) -> None:
    """Measure the texts of a file, plot them as `FILE-lengths.html` and .png, and say what a limit costs.

    UserError when the file, the model or the coverage does not hold.
    """
    console = console or Console(soft_wrap=True, highlight=False)
    if not 0 < options.coverage <= 1:
        raise UserError(f"Coverage {options.coverage} is not a share above 0 and up to 1.")
    try:
        from nifos_stream.training import plots
    except ImportError as error:
        raise UserError(
            f"Plots need more packages ({error.name}): pip install 'nifos-stream[train]'."
        ) from None
    lengths = _measure(file, options)
    stem = file.name.split(".")[0] or "texts"
    saved = plots.save(plots.lengths_figure(lengths), options.out / f"{stem}-lengths")
    if options.as_json:
        console.print(Text(json.dumps(_facts(lengths, saved))))
        return
    for line in _lines(file.name, lengths, saved):
        console.print(Text(line))


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


def _lines(name: str, lengths: "Lengths", saved: "Saved") -> Iterator[str]:
    yield (
        f"{name}: {lengths.texts:,} texts of {lengths.shortest} to {lengths.longest} tokens "
        f"([CLS] and [SEP] included), mean {lengths.mean:.1f}, median {lengths.median}"
    )
    yield (
        f"{lengths.wanted:.1%} fit in {lengths.chosen} tokens: "
        f"{lengths.kept:,} whole ({lengths.coverage:.2%}), {lengths.cut:,} cut"
    )
    yield f"padding each text to {lengths.chosen} would waste {lengths.padding:.0%} of the arithmetic"
    yield f"plot: {saved.page}" + (f" and {saved.picture}" if saved.picture else "")
    if saved.problem:
        yield saved.problem


def _facts(lengths: "Lengths", saved: "Saved") -> dict[str, object]:
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
        "html": str(saved.page),
        "png": str(saved.picture) if saved.picture else None,
    }
