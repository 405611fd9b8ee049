"""`counts --format`: what was counted as rows, one for each step and group, for other programs."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from nifos_stream.commands import row_writer
from nifos_stream.commands.counts import Question, asked_of, where_of
from nifos_stream.counters.reader import Counts
from nifos_stream.counters.shapes import Count, Step
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS
from nifos_stream.settings import Settings
from nifos_stream.watch import tables
from nifos_stream.watch.snapshot import open_counts


class Format(StrEnum):
    """What the rows can be written as; the ending of a file says more (`.xlsx`, `.csv.gz`, …)."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


_PARQUET = f".{Format.PARQUET}"
_NUMBERS = (*(label.value for label in LABELS), "total")


def export(
    settings: Settings,
    question: Question,
    rows_as: Format | None,
    out: str = row_writer.STDOUT,
    stdout: TextIO | None = None,
) -> None:
    """Write the rows to `out`, by default to standard output; a file appears whole or not at all.

    rows_as: the format; by default the one that `out` ends in, and CSV on standard output.
    RedisAway when Redis does not answer; UserError for what cannot be asked or written.
    """
    if question.total:
        raise UserError("--total is of all time and has no steps; give --window, or --from and --to.")
    write_rows = _writer(rows_as, out, stdout or sys.stdout)
    with open_counts(settings) as reader:
        write_rows(columns(question), rows(reader, question))


def columns(question: Question) -> tuple[str, ...]:
    """Names of the columns: the step, what was filtered by, the group, the numbers."""
    groups = dict.fromkeys((*where_of(question), *([question.by] if question.by else ())))
    return ("start", "end", *groups, *_NUMBERS, "net_sentiment")


def rows(reader: Counts, question: Question) -> list[dict[str, Any]]:
    """A row for each step, or for each group of it that has posts; in the order of the columns.

    A row whose group is None is what had no place of its own. Under a filter there is none, as it is not
    known whose those posts are.
    """
    where = where_of(question)
    found = []
    for step in reader.steps(**asked_of(question)):
        for value, count in _groups(step, question.by, filtered=bool(where)):
            named = {**where, question.by: value} if question.by else where
            found.append({"start": step.start, "end": step.end, **named, **tables.as_json(count)})
    return found


def _groups(step: Step, by: str | None, *, filtered: bool) -> Iterator[tuple[str | None, Count]]:
    if by is None:
        yield None, step.total
        return
    yield from step.groups.items()
    if step.other.total and not filtered:
        yield None, step.other


_WriteRows = Callable[[Sequence[str], Sequence[Mapping[str, Any]]], None]


def _writer(rows_as: Format | None, out: str, stdout: TextIO) -> _WriteRows:
    """What writes the rows; UserError before anything is read when it cannot."""
    kind = f".{rows_as}" if rows_as else _kind_of(out)
    if kind == _PARQUET:
        if out == row_writer.STDOUT:
            raise UserError("Parquet is no text for standard output; give --out FILE.")
        return _parquet_writer(Path(out))

    def write(names: Sequence[str], found: Sequence[Mapping[str, Any]]) -> None:
        with row_writer.open_rows(out, names, stdout, kind=kind) as write_row:
            for row in found:
                write_row(row)

    return write


def _kind_of(out: str) -> str | None:
    """The format that a name says; None where its endings say more than that."""
    if out == row_writer.STDOUT:
        return f".{Format.CSV}"
    if out.lower().endswith(_PARQUET):
        return _PARQUET
    row_writer.kind_of(Path(out))
    return None


def _parquet_writer(path: Path) -> _WriteRows:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UserError("Parquet is written by pyarrow: pip install 'nifos-stream[parquet]'.") from None

    def write(names: Sequence[str], found: Sequence[Mapping[str, Any]]) -> None:
        zone = str(found[0]["start"].tzinfo) if found else "UTC"
        types = {
            "start": pa.timestamp("s", zone),
            "end": pa.timestamp("s", zone),
            "net_sentiment": pa.float64(),
        }
        types |= dict.fromkeys(_NUMBERS, pa.int64())
        schema = pa.schema([(name, types.get(name, pa.string())) for name in names])
        with row_writer.whole_file(path) as unfinished:
            parquet.write_table(pa.Table.from_pylist(list(found), schema), unfinished)

    return write
