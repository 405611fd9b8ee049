"""`counts --format`: what was counted as rows, for other programs.

There is one for each step, by a dimension for each group with posts in it; with the grain `none`, and of
all time, one for each group.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from nifos_stream.commands import row_writer
from nifos_stream.commands.counts import NO_STEPS, Question, asked_of, total_of, where_of
from nifos_stream.counters.reader import Counts
from nifos_stream.counters.shapes import Count, Step, Total, Window
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS
from nifos_stream.settings import Settings
from nifos_stream.watch import tables
from nifos_stream.watch.snapshot import open_counts

_PARQUET_ROWS = 50_000

Row = dict[str, Any]
_WriteRows = Callable[[Sequence[str], Iterator[Row]], None]


class Format(StrEnum):
    """What the rows can be written as; the ending of a file says more (`.xlsx`, `.csv.gz`, …)."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


_PARQUET = f".{Format.PARQUET}"
_TIMES = ("start", "end")
_NUMBERS = (*(label.value for label in LABELS), "total")


def export(
    settings: Settings,
    question: Question,
    rows_as: Format | None,
    out: str = row_writer.STDOUT,
    stdout: TextIO | None = None,
) -> int:
    """Write the rows to `out`, by default to standard output, and say how many; a file appears whole or not.

    rows_as: the format; by default the one that `out` ends in, and CSV on standard output.
    RedisAway when Redis does not answer; UserError for what cannot be asked or written.
    """
    question = question.dated(settings.zone)
    write_rows = _writer(rows_as, out, stdout or sys.stdout)
    with open_counts(settings) as reader:
        steps = _steps(reader, question)
    written = 0

    def counted() -> Iterator[Row]:
        nonlocal written
        for row in rows(steps, question):
            yield row
            written += 1

    write_rows(columns(question), counted())
    return written


def columns(question: Question) -> tuple[str, ...]:
    """Names of the columns: the step (but not of all time), what was filtered by, the group, the numbers."""
    groups = dict.fromkeys((*where_of(question), *([question.by] if question.by else ())))
    return (*(() if question.total else _TIMES), *groups, *_NUMBERS, "net_sentiment")


def _steps(reader: Counts, question: Question) -> Sequence[Step | Window | Total]:
    if question.total:
        return [total_of(reader, question)]
    if question.grain == NO_STEPS:
        return [reader.window(**asked_of(question))]
    return reader.steps(**asked_of(question))


def rows(steps: Iterable[Step | Window | Total], question: Question) -> Iterator[Row]:
    """A row for each step, or for each group of it that has posts; in the order of the columns.

    A row whose group is None is what had no place of its own. Under a filter there is none, as it is not
    known whose those posts are.
    """
    where = where_of(question)
    for step in steps:
        for value, count in _groups(step, question.by, filtered=bool(where)):
            named = {**where, question.by: value} if question.by else where
            when = {} if isinstance(step, Total) else {"start": step.start, "end": step.end}
            yield {**when, **named, **tables.as_json(count)}


def _groups(
    step: Step | Window | Total, by: str | None, *, filtered: bool
) -> Iterator[tuple[str | None, Count]]:
    if by is None:
        yield None, step.total
        return
    yield from step.groups.items()
    if step.other.total and not filtered:
        yield None, step.other


def _writer(rows_as: Format | None, out: str, stdout: TextIO) -> _WriteRows:
    """What writes the rows; UserError before anything is read when it cannot."""
    kind = f".{rows_as}" if rows_as else _kind_of(out)
    if rows_as and out != row_writer.STDOUT:
        row_writer.refuse_contradiction(Path(out), f".{rows_as}")
    if kind == _PARQUET:
        if out == row_writer.STDOUT:
            raise UserError("Parquet is no text for standard output; give --out FILE.")
        return _parquet_writer(Path(out))

    def write(names: Sequence[str], found: Iterator[Row]) -> None:
        with row_writer.open_rows(out, names, stdout, kind=kind, moments=_TIMES) as write_row:
            for row in found:
                write_row(row)

    return write


def _kind_of(out: str) -> str | None:
    """The format that a name says; None where its endings say more than that."""
    if out == row_writer.STDOUT:
        return f".{Format.CSV}"
    if out.lower().endswith(_PARQUET):
        return _PARQUET
    row_writer.kind_of(Path(out), also=(_PARQUET,))
    return None


def _parquet_writer(path: Path) -> _WriteRows:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UserError("Parquet is written by pyarrow: pip install 'nifos-stream[parquet]'.") from None

    def write(names: Sequence[str], found: Iterator[Row]) -> None:
        chunk = list(islice(found, _PARQUET_ROWS))
        zone = str(chunk[0]["start"].tzinfo) if chunk and "start" in chunk[0] else "UTC"
        types = dict.fromkeys(_TIMES, pa.timestamp("s", zone))
        types |= dict.fromkeys(_NUMBERS, pa.int64()) | {"net_sentiment": pa.float64()}
        schema = pa.schema([(name, types.get(name, pa.string())) for name in names])
        with row_writer.whole_file(path) as unfinished, parquet.ParquetWriter(unfinished, schema) as writer:
            while chunk:
                writer.write_table(pa.Table.from_pylist(chunk, schema))
                chunk = list(islice(found, _PARQUET_ROWS))

    return write
