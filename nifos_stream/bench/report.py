"""What a measurement says: a table for a person, then one line of JSON. Measures nothing."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Report:
    """One measurement.

    title: what was measured, and where. columns, rows: the table; the first column says what, the others are
    numbers. notes: sentences below it. facts: the JSON line; `bench` says which measurement it is.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    facts: dict[str, Any]
    notes: Sequence[str] = field(default=())


def show(report: Report, out: TextIO | None = None) -> None:
    """Print the table, the notes and, last of all, the line."""
    out = out if out is not None else sys.stdout
    console = Console(file=out, highlight=False, soft_wrap=True)
    console.print(report.title, markup=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, column in enumerate(report.columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in report.rows:
        table.add_row(*row)
    console.print(table)
    for note in report.notes:
        console.print(note, markup=False)
    print(json_line(report.facts), file=out, flush=True)


def json_line(facts: dict[str, Any]) -> str:
    """The facts on one line. ValueError for a number that JSON does not have."""
    return json.dumps(facts, ensure_ascii=False, allow_nan=False)


def say(sentence: str) -> None:
    """Tell whoever waits what is going on, beside the result."""
    print(sentence, file=sys.stderr, flush=True)
