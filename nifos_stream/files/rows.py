"""What a file gives: rows, and rows that could not be read. Knows no format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One row: line number, and value by the name of its column (strings; JSON and sheets have types)."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be used: line number, why (half a sentence), and what stands there."""

    line: int
    reason: str
    content: Any


DAMAGED = "the file cannot be read beyond this place: {}"
NOT_TEXT = "has bytes that are no text in the encoding of the file"
TOO_LONG = "is longer than {:,} characters"
