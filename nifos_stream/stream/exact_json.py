"""One JSON object in bytes: read strictly, and its members as they were written. Knows no post."""

import json
import re
from typing import Any

from nifos_stream.errors import BadMessage, Reason

MAX_DEPTH = 100
"""Objects and lists in each other. An event is at most one deeper, which common readers (128) still take."""

_BOM = b"\xef\xbb\xbf"
_SPACE = " \t\r\n"
_SPACE_BYTES = _SPACE.encode()
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_BRACKET_OR_STRING = re.compile(r'[\[\]{}]|"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_space = re.compile(f"[{_SPACE}]*")
_TOO_DEEP = f"Its objects and lists lie more than {MAX_DEPTH} deep in each other."
_KINDS = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}


class Repeated(dict[str, Any]):
    """A JSON object that has a name twice; the last value counts."""


class _NoNumber(Exception):
    """NaN or an infinity, which Python reads but JSON does not have."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Repeated(members)


def _constant(name: str) -> object:
    raise _NoNumber(name)


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def parse_object(value: bytes) -> dict[str, Any]:
    """The JSON object in `value`, a `Repeated` where a name stands twice in it.

    A byte order mark is passed over. BadMessage says why it is not one, or cannot be passed on safely.
    """
    text = _text(value)
    try:
        document = _decoder.decode(text)
    except json.JSONDecodeError as error:
        detail = f"It is not JSON: {error.msg.removesuffix(' at')} at character {error.pos}."
        raise BadMessage(Reason.NOT_JSON, detail) from None
    except _NoNumber as error:
        raise BadMessage(Reason.NOT_JSON, f"It is not JSON: {error} is no number there.") from None
    except RecursionError:
        raise BadMessage(Reason.TOO_DEEP, _TOO_DEEP) from None
    except ValueError:
        raise BadMessage(Reason.INVALID_POST, "A whole number in it has thousands of digits.") from None
    if value.count(b"{") + value.count(b"[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise BadMessage(Reason.TOO_DEEP, _TOO_DEEP)
    if not isinstance(document, dict):
        raise BadMessage(Reason.NOT_AN_OBJECT, f"It is {_KINDS[type(document)]}, not a JSON object.")
    if _HALF.search(value):
        _refuse_halves(document)
    return document


def bare(value: bytes) -> bytes:
    """`value` without byte order mark and without space around it."""
    return value.removeprefix(_BOM).strip(_SPACE_BYTES)


def written_members(value: bytes) -> dict[str, str]:
    """Each member (`"name":value`) of a valid JSON object just as it is written; the last of equal names."""
    text = _text(value)
    members: dict[str, str] = {}
    at = _after_space(text, _after_space(text, 0) + 1)
    while text[at] != "}":
        name, name_end = _decoder.raw_decode(text, at)
        start = _after_space(text, _after_space(text, name_end) + 1)
        _, end = _decoder.raw_decode(text, start)
        members[name] = f"{text[at:name_end]}:{text[start:end]}"
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return members


def _text(value: bytes) -> str:
    try:
        return value.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadMessage(Reason.NOT_UTF8, f"Byte {error.start} of it is not UTF-8.") from None


def _after_space(text: str, at: int) -> int:
    match = _space.match(text, at)
    return match.end() if match else at


def _depth(text: str) -> int:
    """How deep the objects and lists of a valid JSON text lie in each other."""
    depth = deepest = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        if (character := text[match.start()]) in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _refuse_halves(members: dict[str, Any]) -> None:
    """Half of a surrogate pair is no character: neither Redis nor most readers of JSON take it."""
    for name, member in members.items():
        try:
            json.dumps({name: member}, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            where = f"Field {name}" if name.isidentifier() else "A field"
            detail = f"{where} holds half of a surrogate pair, which is no character."
            raise BadMessage(Reason.INVALID_POST, detail) from None
