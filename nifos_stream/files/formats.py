"""What a file is, told by how its text begins. Knows no file."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from nifos_stream.files.columns import Columns
from nifos_stream.files.table_rows import DELIMITERS, NO_DELIMITER, header_of


class Format(StrEnum):
    """The formats that posts are read from; `auto` looks at the file itself."""

    AUTO = "auto"
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    XLSX = "xlsx"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Guess:
    """A format, and for a table what separates its fields."""

    format: Format
    delimiter: str = ""


_LOOKED_AT_LINES = 50
_ARRAY = re.compile(r"\s*\[\s*(?:\{|\]|$)")
_NAME = re.compile(r"\w[\w .()/%-]{0,39}")


def guess(prefix: str, columns: Columns, needed: str, said: Format = Format.AUTO) -> Guess:
    """The format of a text that begins with `prefix`.

    needed: the field without which a row is worth nothing; a header that names it makes a table.
    said: what a person says it is; then only the delimiter is found here.
    ValueError for JSON of another shape.
    """
    if not prefix.strip():
        return Guess(Format.TEXT)
    if said in (Format.JSON, Format.JSONL, Format.TEXT):
        return Guess(said)
    if said == Format.AUTO:
        if _ARRAY.match(prefix):
            return Guess(Format.JSON)
        if _is_json_lines(prefix):
            return Guess(Format.JSONL)
        if prefix.split(maxsplit=1)[:1] == ["{"]:
            raise ValueError("it is JSON, but neither one object a line nor an array of objects")
    delimiters = ("\t",) if said == Format.TSV else DELIMITERS
    best = max(delimiters, key=lambda delimiter: _fitness(prefix, delimiter, columns, needed))
    fields = len(header_of(prefix, best))
    if said == Format.AUTO and not columns.mapping and not _names_needed(prefix, best, columns, needed):
        best = next((delimiter for delimiter in delimiters if _looks_like_table(prefix, delimiter)), "")
        if not best:
            return Guess(Format.TEXT)
    elif fields < 2:
        best = NO_DELIMITER
    return Guess(Format.TSV if best == "\t" else Format.CSV, best)


def _fitness(prefix: str, delimiter: str, columns: Columns, needed: str) -> tuple[bool, int, int]:
    names = header_of(prefix, delimiter)
    fields = columns.resolve(names).values()
    return needed in fields, len(fields), len(names)


def _names_needed(prefix: str, delimiter: str, columns: Columns, needed: str) -> bool:
    return needed in columns.resolve(header_of(prefix, delimiter)).values()


def _is_json_lines(prefix: str) -> bool:
    """Most of the first lines begin like an object, or one of them is one."""
    lines = [line.strip() for line in prefix.split("\n") if line.strip()][:_LOOKED_AT_LINES]
    if any(_is_object(line) for line in lines):
        return True
    return bool(lines) and sum(line.startswith('{"') for line in lines) * 2 > len(lines)


def _is_object(line: str) -> bool:
    try:
        return line.startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _looks_like_table(prefix: str, delimiter: str) -> bool:
    """Lines of equally many fields below a line of names: a table, though none of its names is known.

    Prose has a space after its commas and a different number of them in each line.
    """
    lines = [line for line in prefix.split("\n") if line][:_LOOKED_AT_LINES]
    if len(lines) > 2:
        lines.pop()  # It may be cut.
    header = lines[0].split(delimiter) if lines else []
    if len(lines) < 2 or len(header) < 2 or not all(_NAME.fullmatch(name.strip('"')) for name in header):
        return False
    return all(line.count(delimiter) >= len(header) - 1 for line in lines)
