"""Rows of comma, semicolon or tab separated values. Knows no field.

Whoever wrote the file may have forgotten to double a quotation mark. A record is taken as the standard
(RFC 4180) has it; where that fails, or would swallow lines, its first line is read alone; where that fails
too, it is rejected and reading goes on with the next line.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nifos_stream.files.columns import unique_names
from nifos_stream.files.encoding import BROKEN
from nifos_stream.files.rows import NOT_TEXT, TOO_LONG, Reject, Row
from nifos_stream.files.text import MAX_ROW_CHARACTERS, Line

NO_DELIMITER = "\x1f"
"""Separates nothing: for a file with one column, whose commas belong to the text."""
DELIMITERS = (",", "\t", ";")
_NEEDS_MARKS = re.compile(r'[",\t\n]')
_QUOTED = re.compile(r'\s*"(.*)"\s*', re.DOTALL)

# The limit is one of the whole process; what is longer is found by its line, with a better sentence.
csv.field_size_limit(MAX_ROW_CHARACTERS + 1)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written.

    quoted: quotation marks may enclose a field; else they are part of it. sparing: they do so only where they
    must, around a delimiter, a comma, a mark or a line break; around anything else they are part of the text.
    """

    delimiter: str
    quoted: bool = True
    sparing: bool = False
    space_after_delimiter: bool = False


class TableRows:
    """The header of a table, then its rows. lines: from the file's first on."""

    def __init__(self, lines: Iterable[Line], dialect: Dialect) -> None:
        self._feed = _Feed(lines)
        self._dialect = dialect
        self._reader = csv.reader(
            self._feed,
            delimiter=dialect.delimiter,
            quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
            skipinitialspace=dialect.space_after_delimiter,
            strict=True,
        )
        self.columns: tuple[str, ...] = ()
        header = next((fields for fields in self._records() if isinstance(fields, list)), [])
        self.columns = tuple(unique_names(header))

    def __iter__(self) -> Iterator[Row | Reject]:
        for fields in self._records():
            if isinstance(fields, Reject):
                yield fields
            elif any(field.strip() for field in fields):
                yield self._row(fields)

    def _row(self, fields: Sequence[str]) -> Row | Reject:
        line, width = self._feed.record[0].number, len(self.columns)
        if any(BROKEN in field for field in fields):
            return Reject(line, NOT_TEXT, fields)
        if len(fields) > width and any(field.strip() for field in fields[width:]):
            return Reject(line, f"has {len(fields)} columns, the header {width}", fields)
        return Row(line, dict(zip(self.columns, fields, strict=False)))

    def _records(self) -> Iterator[list[str] | Reject]:
        """The fields of each record; `_feed.record` are the lines that it was made from."""
        while True:
            self._feed.begin()
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                yield self._first_line_alone()
                continue
            record = self._feed.record
            if len(record) == 1 and record[0].cut:
                yield Reject(record[0].number, TOO_LONG.format(MAX_ROW_CHARACTERS), record[0].text[:1000])
            elif len(record) > 1 and not self._fits(fields) and self._fits(self._split(record[0].text)):
                yield self._first_line_alone()
            elif fields:
                yield self._with_marks(record, fields)

    def _first_line_alone(self) -> list[str] | Reject:
        first = self._feed.back_to_second_line()
        fields = self._split(first.text)
        if first.cut:
            return Reject(first.number, TOO_LONG.format(MAX_ROW_CHARACTERS), first.text[:1000])
        if self._fits(fields):
            return fields
        return Reject(first.number, "has a quotation mark that is not closed or not doubled", first.text)

    def _with_marks(self, record: Sequence[Line], fields: list[str]) -> list[str]:
        """The fields with the marks around them that whoever wrote the file did not need, and so meant."""
        if not self._dialect.sparing or len(record) > 1 or '"' not in record[0].text:
            return fields
        written = record[0].text.split(self._dialect.delimiter)
        if len(written) != len(fields):
            return fields
        return [
            field if _NEEDS_MARKS.search(field) else raw for raw, field in zip(written, fields, strict=True)
        ]

    def _fits(self, fields: Sequence[str]) -> bool:
        return not self.columns or len(fields) == len(self.columns)

    def _split(self, line: str) -> list[str]:
        """The fields of one line, by its delimiters alone."""
        if self._dialect.sparing:
            return line.split(self._dialect.delimiter)
        return [
            match[1].replace('""', '"') if (match := _QUOTED.fullmatch(field)) else field
            for field in line.split(self._dialect.delimiter)
        ]


class _Feed:
    """Hands lines to the csv module, remembers those of the record in hand, and takes some back."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._again: deque[Line] = deque()
        self._characters = 0
        self.record: list[Line] = []

    def begin(self) -> None:
        """The lines that come now are another record's."""
        self.record = []
        self._characters = 0

    def back_to_second_line(self) -> Line:
        """Read the record's lines again but for the first, which is handed back."""
        first, *others = self.record
        self._again.extendleft(reversed(others))
        self.record = [first]
        return first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._characters > MAX_ROW_CHARACTERS:
            # A quotation mark was opened and never closed: to the csv module the file ends here.
            raise StopIteration
        line = self._again.popleft() if self._again else next(self._lines)
        self.record.append(line)
        self._characters += len(line.text)
        return line.text + "\n"


def header_of(prefix: str, delimiter: str) -> list[str]:
    """The fields of the first line that is not blank, if `delimiter` separates them."""
    lines = (Line(number, text) for number, text in enumerate(prefix.split("\n"), 1))
    table = TableRows(lines, dialect_of(prefix, delimiter))
    return list(table.columns)


def dialect_of(prefix: str, delimiter: str) -> Dialect:
    """How a table that begins with `prefix` is written, if `delimiter` separates its fields."""
    first = prefix.lstrip("\n").split("\n", 1)[0]
    names = first.split(delimiter)
    spaced = len(names) > 1 and all(name.startswith(" ") for name in names[1:])
    if delimiter != "\t":
        return Dialect(delimiter, space_after_delimiter=spaced)
    return Dialect(delimiter, quoted=not _has_bare_quotes(prefix), sparing='"' not in first)


def _has_bare_quotes(prefix: str) -> bool:
    """A mark stands within a field that begins without one: whoever wrote the file never quotes.

    Such files (NSMC's is one) are always separated by tabs.
    """
    fields = (field.replace('""', "") for line in prefix.split("\n") for field in line.split("\t"))
    return any('"' in field and not field.startswith('"') and not field.endswith('"') for field in fields)
