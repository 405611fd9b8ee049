"""Rows of a file as the members of posts. Knows no file and no Kafka."""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nifos_stream.files.columns import Columns, free_name
from nifos_stream.files.dates import rfc3339
from nifos_stream.files.rows import Reject, Row
from nifos_stream.files.sheets import plain_value

_BETWEEN_KEYWORDS = re.compile(r"[,;，；、]")


@dataclass(frozen=True, slots=True)
class Found:
    """A row that can be sent as a post: its line, and the members of its JSON object."""

    line: int
    members: dict[str, Any]


def posts(
    rows: Iterable[Row | Reject],
    columns: Columns,
    zone: dt.tzinfo,
    defaults: Mapping[str, str] | None = None,
    *,
    typed: bool,
) -> Iterator[Found | Reject]:
    """Each row as the members of a post, or why it is none. What is unknown passes through.

    zone: where times without zone were written. defaults: fields for rows that lack them.
    typed: values have the types that their writer meant (JSON), so a number is not a text.
    A missing `id` is made by `made_id`. Whether types fit is for `messages.Post` to say.
    """
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        try:
            yield Found(row.line, _members(row.values, columns, zone, defaults or {}, typed=typed))
        except ValueError as error:
            yield Reject(row.line, str(error), {name: plain_value(cell) for name, cell in row.values.items()})


def made_id(source: str | None, url: str | None, text: str) -> str:
    """The `id` of a post that has none: the same for the same source, url and text.

    The first 32 hexadecimal digits of SHA-256 over the three in UTF-8, in this order, with U+001F between
    them, each in NFC, with line ends as one line feed and without space around it; what is missing is empty.
    """
    parts = (_same(part or "") for part in (source, url, text))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _same(part: str) -> str:
    lines = part.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", lines).strip()


def _members(
    values: Mapping[str, Any],
    columns: Columns,
    zone: dt.tzinfo,
    defaults: Mapping[str, str],
    *,
    typed: bool,
) -> dict[str, Any]:
    fields = columns.resolve(values)
    written = {field: values[name] for name, field in fields.items()}
    if not typed:
        written = {
            field: _from_cell(field, value) for field, value in written.items() if not _is_blank(value)
        }
    members = dict(defaults) | {field: value for field, value in written.items() if not _is_blank(value)}
    text = members.get("text")
    if text is None or (isinstance(text, str) and not text.strip()):
        raise ValueError("text is empty" if "text" in fields.values() else _no_text(values))
    for name, value in values.items():
        if name not in fields and (typed or not _is_blank(value)):
            # A member that is called like a field, when another column was named for that field.
            members[free_name(name, members)] = value if typed else plain_value(value)
    if "created_at" in members:
        members["created_at"] = _date(members["created_at"], zone)
    if isinstance(keywords := members.get("keywords"), str):
        members["keywords"] = split_keywords(keywords)
    if "id" in members:
        return members
    parts = [members.get("source"), members.get("url"), text]
    # A part of a wrong type makes no identifier; the row is refused for it anyway.
    return {"id": made_id(*(part if isinstance(part, str) else "" for part in parts)), **members}


def split_keywords(written: str) -> list[str]:
    """Keywords between commas or semicolons, each once."""
    parts = (part.strip() for part in _BETWEEN_KEYWORDS.split(written))
    return list(dict.fromkeys(part for part in parts if part))


def _date(value: Any, zone: dt.tzinfo) -> str | None:
    try:
        return rfc3339(value, zone)
    except ValueError as error:
        raise ValueError(f"created_at: {error}") from None


def _from_cell(field: str, value: Any) -> Any:
    """A cell of a table as its field has it; cells of a sheet may have a type that nobody meant."""
    if field == "created_at":
        return value
    if field == "rating":
        return _number(value)
    return str(plain_value(value)) if field == "text" else str(plain_value(value)).strip()


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"rating: {str(value)[:40]!r} is not a number") from None


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _no_text(values: Mapping[str, Any]) -> str:
    there = ", ".join(list(values)[:10])
    return f"has no text; it has {there}" if there else "has no text"
