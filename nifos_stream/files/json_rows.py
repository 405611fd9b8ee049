"""Rows of JSON: one object a line, or one array of objects. Knows no field."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from nifos_stream.files.encoding import BROKEN
from nifos_stream.files.rows import NOT_TEXT, TOO_LONG, Reject, Row
from nifos_stream.files.text import MAX_ROW_CHARACTERS, Line

_KINDS = {list: "a list", str: "a string", bool: "a truth value", type(None): "null"}
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<end>")?|[\[\]{},]', re.DOTALL)
_HALF_OF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1, ",": 0}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)


def line_rows(lines: Iterable[Line]) -> Iterator[Row | Reject]:
    """A row for each line that is not blank."""
    for line in lines:
        if line.cut:
            yield Reject(line.number, TOO_LONG.format(MAX_ROW_CHARACTERS), line.text[:1000])
        elif text := line.text.strip():
            yield _row(line.number, text)


def array_rows(chunks: Iterable[str]) -> Iterator[Row | Reject]:
    """A row for each element of an array, numbered from 1; a bad element does not touch the next."""
    elements, number = _Elements(), 0
    for chunk in chunks:
        for text in elements.feed(chunk):
            number += 1
            yield _row(number, text)
        if len(elements.rest) > MAX_ROW_CHARACTERS:
            problem = TOO_LONG.format(MAX_ROW_CHARACTERS) + "; what follows it is not read"
            yield Reject(number + 1, problem, elements.rest[:1000])
            return
    if not elements.closed:
        yield Reject(number + 1, "the array is not closed", elements.rest.strip())
    elif elements.rest.strip():
        yield Reject(number + 1, "stands behind the end of the array", elements.rest.strip()[:1000])


class _Elements:
    """Cuts an array into the text of its elements, by brackets and quotes alone: a bad one ends too."""

    def __init__(self) -> None:
        self.rest = ""
        self.closed = False
        self._at = 0
        self._depth = 0
        self._after_comma = False

    def feed(self, chunk: str) -> Iterator[str]:
        """The elements that end in the next part of the array."""
        self.rest += chunk
        if self.closed:
            return
        start = 0
        self._at, scanned_from = len(self.rest), self._at
        for match in _TOKEN.finditer(self.rest, scanned_from):
            mark = match.group()
            if mark[0] == '"':
                if match["end"] is None:
                    # The string goes on in the next chunk; it is scanned again from its start.
                    self._at = match.start()
                continue
            self._depth += _STEP[mark]
            if mark == "[" and self._depth == 1:
                start = match.end()
            elif self._depth == 0 or (self._depth == 1 and mark == ","):
                text = self.rest[start : match.start()].strip()
                if text or mark == "," or self._after_comma:
                    yield text
                start, self._after_comma = match.end(), mark == ","
                if self._depth == 0:
                    self.closed = True
                    break
        self.rest = self.rest[start:]
        self._at -= start


def _row(line: int, text: str) -> Row | Reject:
    if BROKEN in text:
        return Reject(line, NOT_TEXT, text)
    try:
        document = _decoder.decode(text)
    except json.JSONDecodeError as error:
        return Reject(
            line, f"is not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}", text
        )
    except RecursionError:
        return Reject(line, "is nested too deep", text[:1000])
    except ValueError as error:
        return Reject(line, f"is not JSON: {error}", text)
    if _HALF_OF_A_PAIR.search(text) and not _is_text(document):
        return Reject(line, "has half of a surrogate pair, which is no character", text)
    if not isinstance(document, dict):
        return Reject(line, f"is {_KINDS.get(type(document), 'a number')}, not a JSON object", text)
    return Row(line, document)


def _is_text(document: Any) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
