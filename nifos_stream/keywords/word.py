"""A word of the watch list, and how a record of its topic says it. Knows no client of Kafka and no post."""

import datetime as dt
import unicodedata
from dataclasses import dataclass

from nifos_stream.messages import WatchedWord

MAX_CHARACTERS = 64
MAX_PARTS = 5
"""Most parts of one entry that spaces separate."""
_SEEN = frozenset("LNS")
"""First letters of the Unicode categories of which a word must have one: letters, numbers, symbols."""
_NOT_SEEN = frozenset({"Cc", "Cf", "Cs"})
_JOINERS = frozenset("\u200c\u200d")
"""Not seen either, but emoji and some scripts need them."""


@dataclass(frozen=True, slots=True)
class Word:
    """An entry of the watch list.

    spelling: as events and counts have it. compounds: it is also found at the beginning of a longer word.
    added_at: aware; None when the record does not say.
    """

    spelling: str
    compounds: bool = False
    added_at: dt.datetime | None = None


def spelled(written: str) -> str:
    """The spelling under which a word stands in the list: composed (NFC), trimmed, one space between parts.

    ValueError, with a sentence's predicate, when it cannot stand there.
    """
    spelling = " ".join(unicodedata.normalize("NFC", written).split())
    if not any(unicodedata.category(char)[0] in _SEEN for char in spelling):
        raise ValueError("has no letter, number or symbol (such as ♥), only punctuation or spaces")
    if any(unicodedata.category(char) in _NOT_SEEN and char not in _JOINERS for char in spelling):
        raise ValueError("holds characters that cannot be shown")
    if len(spelling) > MAX_CHARACTERS:
        raise ValueError(f"is longer than {MAX_CHARACTERS} characters")
    if spelling.count(" ") >= MAX_PARTS:
        raise ValueError(f"has more than {MAX_PARTS} parts")
    return spelling


def key_of(word: Word) -> bytes:
    """The key of a word's record; without a value it takes the word off the list."""
    return word.spelling.encode()


def value_of(word: Word) -> bytes:
    """The value of a word's record."""
    return WatchedWord(added_at=word.added_at, compounds=word.compounds).model_dump_json().encode()


def decode(key: bytes | None, value: bytes) -> Word:
    """The word of a record. ValueError says why its key is none; a strange value says nothing of the word."""
    try:
        spelling = spelled((key or b"").decode())
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    try:
        said = WatchedWord.model_validate_json(value)
    except ValueError:
        return Word(spelling)
    return Word(spelling, said.compounds, said.added_at)
