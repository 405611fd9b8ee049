"""What `produce` made of the columns of each file, told once. Knows no Kafka."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nifos_stream.files import Columns, Format, Reject, Row, Table, Taken
from nifos_stream.watch.look import plain

_MOST_PASSED = 30


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of one file. taken: None where it has none, as prose, or no row."""

    file: str
    taken: Taken | None
    empty: bool

    def sentences(self) -> Iterator[str]:
        """Yield what a person should know."""
        if self.taken is not None:
            fields = " ".join(f"{field}={column}" for field, column in self.taken.fields.items())
            passed = ", ".join(self.taken.passed[:_MOST_PASSED])
            more = ", …" * (len(self.taken.passed) > _MOST_PASSED)
            told = "; ".join(filter(None, [fields, f"passed through: {passed}{more}" if passed else ""]))
            yield plain(f"{self.file}: {told}")
        if self.empty:
            yield f"{self.file} has no rows."

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        if self.taken is None:
            return {"file": self.file, "columns": {}, "passed_through": []}
        return {
            "file": self.file,
            "columns": dict(self.taken.fields),
            "passed_through": list(self.taken.passed),
        }


def watched(table: Table, columns: Columns, tell: Callable[[Header], None]) -> Iterator[Row | Reject]:
    """Yield the rows of a table as they are; `tell` is called once, before the first that could be read.

    Where each row has names of its own (JSON), those of the first stand for all.
    """
    told, empty = False, True
    for row in table:
        empty = False
        if not told and isinstance(row, Row):
            tell(_header(table, columns, row))
            told = True
        yield row
    if not told:
        tell(_header(table, columns, None, empty=empty))


def _header(table: Table, columns: Columns, first: Row | None, *, empty: bool = False) -> Header:
    names = table.columns
    if names is None and first is not None and table.format != Format.TEXT:
        names = tuple(first.values)
    return Header(table.name, None if names is None else columns.taken(names), empty)
