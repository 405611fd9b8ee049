"""The characters of a source, in chunks and in lines of bounded length. Knows no format."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from nifos_stream.errors import UserError
from nifos_stream.files.encoding import Decoder
from nifos_stream.files.source import Source

MAX_ROW_CHARACTERS = 1 << 22
"""Longest row that is read; four times what Kafka takes as a message when nobody set its limit."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. cut: it was longer than MAX_ROW_CHARACTERS, and the rest is left out."""

    number: int
    text: str
    cut: bool = False


class Text:
    """The text of a source: `prefix` to look at, then `chunks` or `lines`, once. Lines end in a line feed."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._decoder = Decoder()
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True)
        try:
            # A first byte alone is no text yet: it may be half of a mark.
            self.prefix = ""
            while not self.prefix and (data := source.read()):
                self.prefix = self._decode(data)
            if not self.prefix:
                self.prefix = self._decode(b"", final=True)
        except ValueError as error:
            raise UserError(f"{source.name} cannot be read: {error}.") from None

    def chunks(self) -> Iterator[str]:
        """All the text, the prefix included. Raises one of DAMAGE, or ValueError when it stops being text."""
        yield self.prefix
        while data := self.source.read():
            yield self._decode(data)
        yield self._decode(b"", final=True)

    def lines(self) -> Iterator[Line]:
        """All lines, numbered from 1. Raises what `chunks` raises."""
        number, rest, cut = 1, "", False
        for chunk in self.chunks():
            *whole, end = chunk.split("\n")
            for piece in whole:
                yield Line(number, rest + piece if not cut else rest, cut or _too_long(rest, piece))
                number, rest, cut = number + 1, "", False
            if not cut:
                cut = _too_long(rest, end)
                rest = (rest + end)[:MAX_ROW_CHARACTERS]
        if rest:
            yield Line(number, rest, cut)

    def _decode(self, data: bytes, *, final: bool = False) -> str:
        return self._newlines.decode(self._decoder.decode(data, final=final), final=final)


def _too_long(start: str, end: str) -> bool:
    return len(start) + len(end) > MAX_ROW_CHARACTERS
