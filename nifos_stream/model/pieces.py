"""Make of each text the pieces that a model reads: the whole text, its sentences, or cuts of them.

Knows the cleaning and the tokenizer, not the weights. For each piece, cleaning its span of the text as given
and tokenizing the result gives the very ids that are read.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nifos_stream.model import sentences
from nifos_stream.model.cleaning import Cleaned, Cleaning
from nifos_stream.model.sentences import Span
from nifos_stream.model.tokenizer import Tokenizer, length_of, truncated

# Code points that a cut looks at first; most pieces are shorter.
_WINDOW = 512


@dataclass(frozen=True, slots=True)
class Piece:
    """[start, end) of a text in code points, and the token ids to read for it."""

    start: int
    end: int
    ids: bytes


@dataclass(frozen=True, slots=True)
class Pieces:
    """What is read of one text; no pieces: nothing is left of it.

    whole: the text is its only piece. truncated: something at its end is not read.
    """

    pieces: tuple[Piece, ...]
    whole: bool
    truncated: bool


NOTHING = Pieces((), whole=True, truncated=False)


class Splitter:
    """Cleans, splits and tokenizes texts.

    max_length: most tokens of a piece. sentences: split texts that do not fit (`auto`), all, or none, which
    then are cut off at `max_length`. max_sentences: most pieces of one text.
    """

    def __init__(
        self,
        cleaning: Cleaning,
        tokenizer: Tokenizer,
        *,
        max_length: int,
        max_sentences: int,
        mode: Literal["auto", "always", "never"],
    ) -> None:
        self._clean = cleaning
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._max_sentences = max_sentences
        self._mode = mode

    def split(self, texts: Sequence[str]) -> list[Pieces]:
        """Return the pieces of each text."""
        results = [self._whole(text, ids) for text, ids in zip(texts, self._encode(texts), strict=True)]
        # One more than is read shows whether anything is left to read.
        most = self._max_sentences + 1
        parts = {
            i: list(itertools.islice(sentences.split(texts[i]), most))
            for i, found in enumerate(results)
            if found is None
        }
        encoded = iter(
            self._encode([texts[i][start:end] for i, spans in parts.items() for start, end in spans])
        )
        for i, spans in parts.items():
            results[i] = self._assemble(texts[i], [(span, next(encoded)) for span in spans])
        return [found for found in results if found is not None]

    def _encode(self, texts: Sequence[str]) -> list[bytes]:
        return self._tokenizer.encode([self._clean(text) for text in texts])

    def _is_empty(self, ids: bytes) -> bool:
        return length_of(ids) <= self._tokenizer.special_tokens

    def _whole(self, text: str, ids: bytes) -> Pieces | None:
        """Return the pieces of a text that need not be split, else None."""
        if self._is_empty(ids):
            return NOTHING
        if length_of(ids) <= self._max_length:
            if self._mode == "always" and len(list(itertools.islice(sentences.split(text), 2))) > 1:
                return None
            return Pieces((Piece(0, len(text), ids),), whole=True, truncated=False)
        if self._mode == "never":
            cut = Piece(0, len(text), truncated(ids, self._max_length))
            return Pieces((cut,), whole=True, truncated=True)
        return None

    def _assemble(self, text: str, encoded: Sequence[tuple[Span, bytes]]) -> Pieces:
        """Cut what does not fit, and give spans without a token to the piece before them, or else after."""
        pieces: list[Piece] = []
        orphan: int | None = None
        end = 0
        for (start, stop), ids in encoded:
            for piece in self._cut(text, start, stop, ids):
                if (
                    len(pieces) == self._max_sentences
                    and length_of(piece.ids) > self._tokenizer.special_tokens
                ):
                    return Pieces(tuple(pieces), whole=False, truncated=True)
                end = piece.end
                if length_of(piece.ids) <= self._tokenizer.special_tokens:
                    if pieces:
                        pieces[-1] = self._extended(text, pieces[-1], pieces[-1].start, piece.end)
                    elif orphan is None:
                        orphan = piece.start
                    continue
                if orphan is not None:
                    piece = self._extended(text, piece, orphan, piece.end)
                    orphan = None
                pieces.append(piece)
        return Pieces(tuple(pieces), whole=False, truncated=bool(text[end:].strip()))

    def _extended(self, text: str, piece: Piece, start: int, end: int) -> Piece:
        ids = self._encode([text[start:end]])[0]
        return Piece(start, end, ids) if length_of(ids) <= self._max_length else piece

    def _cut(self, text: str, start: int, end: int, ids: bytes) -> Iterator[Piece]:
        """Yield pieces of [start, end) that fit; `ids` are those of the whole span."""
        if length_of(ids) <= self._max_length:
            yield Piece(start, end, ids)
            return
        while rest := list(sentences.stripped(text, start, end)):
            piece = self._first_fit(text, *rest[0])
            yield piece
            start = piece.end

    def _first_fit(self, text: str, start: int, end: int) -> Piece:
        """Return about the longest piece that begins at `start` and fits."""
        room = self._max_length - self._tokenizer.special_tokens
        width = _WINDOW
        while True:
            stop = min(end, start + width)
            cleaned = self._clean.trace(text[start:stop])
            begins = self._tokenizer.starts(cleaned.text)
            if len(begins) > room or stop == end:
                break
            width *= 4
        places = _cuts(cleaned, begins[: room + 1]) if len(begins) > room else []
        stops = [start + cleaned.ends[place - 1] for place in places] if places else [stop]
        # Where cleaning leaves no place to cut, the text itself is cut, however ugly.
        stops += [start + width for width in _halvings(min(stops) - start)]
        for stop in stops:
            stop = start + len(text[start:stop].rstrip())
            ids = self._encode([text[start:stop]])[0]
            if length_of(ids) <= self._max_length:
                return Piece(start, stop, ids)
        return Piece(start, stop, truncated(ids, self._max_length))


def _cuts(cleaned: Cleaned, begins: Sequence[int]) -> list[int]:
    """Return places to cut a cleaned text, the best first.

    begins: where tokens begin; the last is the first one too many. The last space is best unless it leaves
    less than half, then the last beginnings of tokens.
    """
    limit = begins[-1]
    space = cleaned.text.rfind(" ", limit // 2, limit + 1)
    places = [place for place in reversed(begins) if cleaned.may_cut(place)]
    return [space, *places] if space > 0 else places


def _halvings(width: int) -> Iterator[int]:
    while width > 1:
        width //= 2
        yield width
