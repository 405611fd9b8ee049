"""Labelled rows read from a file: TSV, CSV or JSON lines, plain, .xz or .gz. Knows nothing of models."""

import csv
import gzip
import hashlib
import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from nifos_stream.errors import UserError

LABEL_IDS = {
    "0": 0,
    "1": 1,
    "2": 2,
    "부정": 0,
    "중립": 1,
    "긍정": 2,
    "negative": 0,
    "neutral": 1,
    "positive": 2,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text. label: 0 negative, 1 neutral, 2 positive."""

    text: str
    label: int
    source: str


def read(path: Path) -> list[Row]:
    """Read a labelled file with the columns text and label, and source where there is one.

    Raises UserError that names the row where a label or a column is not understood.
    """
    rows = []
    try:
        for number, record in enumerate(_records(path), start=1):
            try:
                text, label = record["text"], LABEL_IDS[str(record["label"]).strip()]
            except KeyError as error:
                raise UserError(f"{path.name}, row {number}: no column or label {error}.") from None
            rows.append(Row(str(text), label, str(record.get("source") or "all")))
    except (OSError, lzma.LZMAError, EOFError, ValueError, csv.Error) as error:
        raise UserError(f"{path.name} cannot be read: {error}.") from error
    return rows


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file as it lies on disk."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(rows: Sequence[Row]) -> str:
    """Return 16 hex digits that stand for these rows in this order."""
    found = hashlib.sha256()
    for row in rows:
        found.update(json.dumps([row.text, row.label, row.source]).encode())
    return found.hexdigest()[:16]


def _records(path: Path) -> Iterator[dict[str, object]]:
    kind = next((part for part in reversed(path.suffixes) if part in {".tsv", ".csv", ".jsonl"}), None)
    if kind is None:
        raise UserError(f"{path.name} is not a .tsv, .csv or .jsonl file, nor one of these as .xz or .gz.")
    with _opened(path) as lines:
        if kind == ".jsonl":
            yield from (json.loads(line) for line in lines if line.strip())
        elif kind == ".tsv":
            # The corpus writes quotes as they are, so a quote never opens a field.
            yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        else:
            yield from csv.DictReader(lines)


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".xz":
        return cast(IO[str], lzma.open(path, "rt", encoding="utf-8", newline=""))
    if path.suffix == ".gz":
        return cast(IO[str], gzip.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8-sig", newline="")
