"""Rows of an Excel workbook (XLSX). Knows no field."""

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from nifos_stream.files.columns import Columns, unique_names
from nifos_stream.files.rows import Reject, Row

_BROKEN = (zipfile.BadZipFile, KeyError, IndexError, SyntaxError)  # XML's ParseError is a SyntaxError.
MAGIC = b"PK\x03\x04"
OLD_EXCEL_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: the names in its first row that has any, and the cells of each row below."""

    name: str
    columns: tuple[str, ...]
    cells: Iterator[tuple[int, tuple[Any, ...]]]

    def rows(self) -> Iterator[Row | Reject]:
        """The rows that are not empty, by their number in the sheet."""
        try:
            for number, cells in self.cells:
                if any(cell is not None and str(cell).strip() for cell in cells):
                    yield Row(number, _values(self.columns, cells))
        except _BROKEN as error:
            raise ValueError(f"the workbook is damaged ({error})") from None


def open_sheet(file: IO[bytes], columns: Columns, needed: str) -> tuple[Sheet, int]:
    """The first sheet with a column for `needed`, else the first with any; and how many sheets there are.

    Reading is by row, but the texts that cells share are all held in memory, as the format asks.
    ValueError says why the file is no workbook.
    """
    try:
        sheets = list(_sheets(file))
    except _BROKEN as error:
        raise ValueError(f"it is a ZIP archive but no workbook that can be read ({error})") from None
    if not sheets:
        raise ValueError("the workbook has no sheet with cells")
    fitting = (sheet for sheet in sheets if needed in columns.resolve(sheet.columns).values())
    filled = (sheet for sheet in sheets if sheet.columns)
    return next(fitting, next(filled, sheets[0])), len(sheets)


def _sheets(file: IO[bytes]) -> Iterator[Sheet]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        # They are about styles and filters, which are not read.
        warnings.simplefilter("ignore")
        book = load_workbook(file, read_only=True, data_only=True)
    for sheet in book.worksheets:
        # Some programs write a wrong size, which would cut rows off.
        sheet.reset_dimensions()
        cells = enumerate(sheet.iter_rows(values_only=True), 1)
        header = next((row for _, row in cells if any(cell is not None for cell in row)), ())
        yield Sheet(sheet.title, tuple(unique_names(_trimmed(header))), cells)


def _trimmed(header: Sequence[Any]) -> list[str]:
    names = ["" if cell is None else str(cell) for cell in header]
    while names and not names[-1].strip():
        names.pop()
    return names


def _values(columns: Sequence[str], cells: Sequence[Any]) -> Mapping[str, Any]:
    named = zip(columns, cells, strict=False)
    return {name: cell for name, cell in named if cell is not None and cell != ""}


def plain_value(cell: Any) -> Any:
    """A cell as JSON can have it: dates and durations as strings, whole numbers without a fraction."""
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell if isinstance(cell, str | int | float | bool) or cell is None else str(cell)
