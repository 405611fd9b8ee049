"""Rows written to a file as they come: JSON, JSONL, CSV, TSV (also .gz, .xz) or XLSX, whole or not at all."""

import contextlib
import csv
import gzip
import json
import lzma
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TextIO, cast

from nifos_stream.errors import UserError
from nifos_stream.files.sheets import plain_value

STDOUT = "-"
XLSX_ROWS = 1_048_576
_XLSX_CELL_CHARACTERS = 32_767
_MOMENT_WIDTH = 20
"""Of a column, in characters; a date that is wider than its column is shown as ####."""
_NOT_IN_XLSX = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_OPENED: dict[str, Callable[..., Any]] = {"": open, ".gz": gzip.open, ".xz": lzma.open}
_KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".xlsx")

Write = Callable[[Mapping[str, Any]], None]


@contextlib.contextmanager
def open_rows(
    out: str,
    columns: Sequence[str],
    stdout: TextIO | None = None,
    *,
    kind: str | None = None,
    moments: Sequence[str] = (),
) -> Iterator[Write]:
    """Give a function that writes one row; `out` appears when all are written, and not when that failed.

    out: `-` is standard output; .gz and .xz are compressed. kind: the format as an ending, such as `.csv`; by
    default what `out` ends in, and JSONL on standard output. columns: names for all but JSON, whose rows have
    their own; what a row has beyond them is left out. moments: columns of aware datetimes, which are dates in
    a sheet, as their own zone has them, since a sheet knows no zone.
    UserError when the ending says nothing, or the file cannot be written.
    """
    if out == STDOUT:
        with _text_writer(stdout or sys.stdout, kind or ".jsonl", columns) as write:
            yield write
        return
    path = Path(out)
    kind, compression = (kind, _compression(path)) if kind else kind_of(path)
    with whole_file(path) as unfinished, _writer(unfinished, kind, compression, columns, moments) as write:
        yield write


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write a file that takes its name when the block ends well. UserError when it cannot be."""
    # In the same directory, so that it can take the name of the finished file at once.
    unfinished = path.with_name(f".{path.name}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        unfinished.unlink(missing_ok=True)


def kind_of(path: Path, also: Sequence[str] = ()) -> tuple[str, str]:
    """Return the format and the compression that a file's endings say, such as ('.csv', '.gz').

    also: endings that the caller knows besides; UserError names them, too, where the ending is none of ours.
    """
    kind, compression = _endings(path)
    if kind not in _KINDS or (kind == ".xlsx" and compression):
        endings = ", ".join((*_KINDS, *also))
        raise UserError(
            f"{path} is not written: its name must end in {endings}, or a text's with .gz or .xz."
        )
    return kind, compression


def refuse_contradiction(path: Path, kind: str) -> None:
    """UserError when a file's endings say another format than `kind`, such as `.csv`."""
    ending, _ = _endings(path)
    if ending in (*_KINDS, ".parquet") and ending != kind:
        raise UserError(f"{path} ends in {ending}, but what is to be written is {kind[1:]}.")


def _endings(path: Path) -> tuple[str, str]:
    compression = _compression(path)
    return (path.with_suffix("") if compression else path).suffix.lower(), compression


def _compression(path: Path) -> str:
    ending = path.suffix.lower()
    return ending if ending in _OPENED else ""


@contextlib.contextmanager
def _writer(
    path: Path, kind: str, compression: str, columns: Sequence[str], moments: Sequence[str]
) -> Iterator[Write]:
    if kind == ".xlsx":
        with _xlsx_writer(path, columns, moments) as write:
            yield write
        return
    text = _OPENED[compression](path, "wt", encoding="utf-8", errors="replace", newline="")
    with cast(IO[str], text) as file, _text_writer(file, kind, columns) as write:
        yield write


@contextlib.contextmanager
def _text_writer(file: IO[str], kind: str, columns: Sequence[str]) -> Iterator[Write]:
    if kind == ".json":
        with _array_writer(file) as write:
            yield write
        return
    yield _json_writer(file) if kind in (".jsonl", ".ndjson") else _table_writer(file, kind, columns)


@contextlib.contextmanager
def _array_writer(file: IO[str]) -> Iterator[Write]:
    """One array, and a row on each line."""
    before = "[\n"

    def write(row: Mapping[str, Any]) -> None:
        nonlocal before
        file.write(before + json.dumps(_plain(row), ensure_ascii=False))
        before = ",\n"

    yield write
    file.write("[]\n" if before == "[\n" else "\n]\n")


def _json_writer(file: IO[str]) -> Write:
    def write(row: Mapping[str, Any]) -> None:
        file.write(json.dumps(_plain(row), ensure_ascii=False) + "\n")

    return write


def _table_writer(file: IO[str], kind: str, columns: Sequence[str]) -> Write:
    table = csv.DictWriter(
        file,
        columns,
        restval="",
        extrasaction="ignore",
        delimiter="\t" if kind == ".tsv" else ",",
        lineterminator="\n",
    )
    table.writeheader()

    def write(row: Mapping[str, Any]) -> None:
        table.writerow({name: _cell(value) for name, value in row.items()})

    return write


@contextlib.contextmanager
def _xlsx_writer(path: Path, columns: Sequence[str], moments: Sequence[str]) -> Iterator[Write]:
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    for number, name in enumerate(columns, 1):
        if name in moments:
            sheet.column_dimensions[get_column_letter(number)].width = _MOMENT_WIDTH
    sheet.append(list(columns))
    rows = 1

    def write(row: Mapping[str, Any]) -> None:
        nonlocal rows
        rows += 1
        if rows > XLSX_ROWS:
            raise UserError(f"A sheet holds {XLSX_ROWS:,} rows; write .csv or .jsonl instead.")
        sheet.append([_sheet_cell(row.get(name), sheet, is_moment=name in moments) for name in columns])

    yield write
    book.save(path)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, list | dict) else plain_value(value) for name, value in row.items()
    }


def _cell(value: Any) -> Any:
    """A list or an object stands in a table as JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    value = plain_value(value)
    return "" if value is None else value


def _sheet_cell(value: Any, sheet: Any, *, is_moment: bool) -> Any:
    if is_moment:
        return value.replace(tzinfo=None)
    value = _cell(value)
    if not isinstance(value, str):
        return value
    text = _NOT_IN_XLSX.sub(" ", value)[:_XLSX_CELL_CHARACTERS]
    if not text.startswith("="):
        return text
    from openpyxl.cell import WriteOnlyCell

    # What a person wrote is a text, never a formula.
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    return cell
