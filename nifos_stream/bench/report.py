"""What a measurement says: a table for a person, then one line of JSON. Measures nothing."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO


@dataclass(frozen=True, slots=True)
class Report:
    """One measurement.

    title: what was measured, and where. columns, rows: the table. notes: sentences below it. facts: the JSON
    line; `bench` says which measurement it is. words: which columns hold words; the others hold numbers.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    facts: dict[str, Any]
    notes: Sequence[str] = ()
    words: Sequence[int] = (0,)


def show(report: Report, out: TextIO | None = None) -> None:
    """Print the table, the notes and, last of all, the line."""
    out = out if out is not None else sys.stdout
    for line in (report.title, "", *_table(report), "", *report.notes, json_line(report.facts)):
        print(line, file=out)
    out.flush()


def _table(report: Report) -> Iterator[str]:
    """The rows in columns, never cut: they are read in files, too."""
    lines = [report.columns, *report.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.ljust(width) if place in report.words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def json_line(facts: dict[str, Any]) -> str:
    """The facts on one line. ValueError for a number that JSON does not have."""
    return json.dumps(facts, ensure_ascii=False, allow_nan=False)


def say(sentence: str) -> None:
    """Tell whoever waits what is going on, beside the result."""
    print(sentence, file=sys.stderr, flush=True)
