"""A file as rows, whatever its format and encoding. Knows no post."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from nifos_stream.errors import UserError
from nifos_stream.files import sheets
from nifos_stream.files.columns import Columns
from nifos_stream.files.encoding import BROKEN
from nifos_stream.files.formats import Format, guess
from nifos_stream.files.json_rows import array_rows, line_rows
from nifos_stream.files.rows import DAMAGED, NOT_TEXT, TOO_LONG, Reject, Row
from nifos_stream.files.source import DAMAGE, Source, said
from nifos_stream.files.table_rows import TableRows, dialect_of
from nifos_stream.files.text import MAX_ROW_CHARACTERS, Text

_UNITS = {Format.JSON: "element", Format.XLSX: "row"}


class Table:
    """The rows of a file or of standard input (`-`), read once from front to back.

    path: its ending decides nothing. columns: how fields are found. needed: the field without which a row
    is worth nothing. format: what the file is, when its content shall not decide. stdin: for `-`.
    UserError when the file cannot be opened or is nothing that can be read, or when a table has no column for
    `needed` or lacks one that was named; it says which columns there are.
    """

    def __init__(
        self,
        path: str | Path,
        columns: Columns | None = None,
        *,
        needed: str = "text",
        format: Format = Format.AUTO,  # noqa: A002 - it is what people call it
        stdin: BinaryIO | None = None,
    ) -> None:
        self._columns = columns if columns is not None else Columns()
        self._needed = needed
        self._source = Source(path, stdin)
        self.name = self._source.name
        self.columns: tuple[str, ...] | None = None
        """Names in the header; None where each row has its own (JSON), or there are none (plain text)."""
        self.note: str | None = None
        """What a person should know of how the file was read, if anything."""
        try:
            self._rows = self._open(format)
        except (ValueError, *DAMAGE) as error:
            self.close()
            raise UserError(f"{self.name} cannot be read: {said(error)}.") from None
        except UserError:
            self.close()
            raise

    @property
    def total_bytes(self) -> int | None:
        """Size of the file on disk; None where it has none, as a pipe."""
        return self._source.total_bytes

    @property
    def taken_bytes(self) -> int:
        """Bytes read from the disk so far."""
        return self._source.taken_bytes

    @property
    def rewindable(self) -> bool:
        """It is a plain file, so that it can be opened once more."""
        return self._source.rewindable

    @property
    def typed(self) -> bool:
        """Its values have the types that their writer meant."""
        return self.format in (Format.JSON, Format.JSONL)

    @property
    def unit(self) -> str:
        """What `line` of a row counts: line, row or element."""
        return _UNITS.get(self.format, "line")

    def __iter__(self) -> Iterator[Row | Reject]:
        """Each row, or why it could not be read. Damage further on ends the file with a Reject."""
        line = 0
        try:
            for row in self._rows:
                line = row.line
                yield row
        except (ValueError, *DAMAGE) as error:
            yield Reject(line + 1, DAMAGED.format(said(error)), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _open(self, said_format: Format) -> Iterator[Row | Reject]:
        if self._source.prefix.startswith(sheets.OLD_EXCEL_MAGIC):
            raise ValueError("it is a workbook of Excel 97, or one with a password; save it as .xlsx without")
        if said_format in (Format.AUTO, Format.XLSX) and self._source.prefix.startswith(sheets.MAGIC):
            return self._open_sheet()
        if said_format == Format.XLSX:
            raise ValueError("it is no Excel workbook")
        text = Text(self._source)
        found = guess(text.prefix, self._columns, self._needed, said_format)
        self.format = found.format
        if found.format in (Format.CSV, Format.TSV):
            return self._open_table(text, found.delimiter)
        if found.format == Format.JSON:
            return array_rows(text.chunks())
        return line_rows(text.lines()) if found.format == Format.JSONL else _plain_rows(text)

    def _open_table(self, text: Text, delimiter: str) -> Iterator[Row | Reject]:
        rows = TableRows(text.lines(), dialect_of(text.prefix, delimiter))
        self._check(rows.columns)
        return iter(rows)

    def _open_sheet(self) -> Iterator[Row | Reject]:
        self.format = Format.XLSX
        sheet, sheet_count = sheets.open_sheet(self._source.seekable(), self._columns, self._needed)
        if sheet_count > 1:
            self.note = f"{self.name}: sheet {sheet.name!r} is read; the workbook has {sheet_count} sheets."
        self._check(sheet.columns)
        return sheet.rows()

    def _check(self, names: tuple[str, ...]) -> None:
        self.columns = names
        there = ", ".join(name[:40] for name in names[:30]) or "none"
        if missing := self._columns.missing(names):
            raise UserError(f"{self.name} has no column {', '.join(missing)}; its columns are {there}.")
        if self._needed not in self._columns.resolve(names).values():
            raise UserError(
                f"{self.name} has no column for the {self._needed}; its columns are {there}."
                f" Say which it is with --column {self._needed}=NAME (or --format text if it is prose)."
            )


def _plain_rows(text: Text) -> Iterator[Row | Reject]:
    """A row `text` for each line that is not blank."""
    for line in text.lines():
        if line.cut:
            yield Reject(line.number, TOO_LONG.format(MAX_ROW_CHARACTERS), line.text[:1000])
        elif BROKEN in line.text:
            yield Reject(line.number, NOT_TEXT, line.text)
        elif line.text.strip():
            yield Row(line.number, {"text": line.text})
