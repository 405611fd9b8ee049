"""Which words of the watch list stand in a text. Knows no Kafka and no post.

A word is found where a word begins: 산불 stands in 산불이, #산불 and LA산불, and not in 재산불법. Behind it
stands what is no syllable, or particles and endings that belong to it (see `particles`). 산불감시원 is
another word, unless the entry says `compounds`. Latin words and numbers end where letters and digits end.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from ahocorasick_rs import AhoCorasick

from nifos_stream.keywords import particles
from nifos_stream.keywords.word import Word
from nifos_stream.messages import folded

_BETWEEN_TEXTS = "\0"
_PIECE_CHARACTERS = 20_000
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
"""JSON may carry half of a surrogate pair, and the search takes none."""
_SYLLABLES = re.compile(f"[가-힣]{{1,{particles.LONGEST + 1}}}")
_NO_SPACES_BETWEEN_WORDS = re.compile(r"[\u3040-\u30ff\u3131-\u318e\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


class Matcher:
    """Looks for all words of a list at once (Aho and Corasick 1975)."""

    def __init__(self, words: Iterable[Word] = ()) -> None:
        """Take the words. Two that differ in case alone are both found."""
        by_form: dict[str, list[Word]] = {}
        for word in words:
            for form in _forms(folded(word.spelling)):
                by_form.setdefault(form, []).append(word)
        self._words: list[list[Word]] = list(by_form.values())
        self._longest = max(map(len, by_form), default=0)
        self._search = AhoCorasick(by_form)

    def find(self, *texts: str | None) -> Sequence[str]:
        """Spellings of the words that stand in any of the texts, each once, in the order of their ends."""
        if not self._words:
            return ()
        text = folded(_BETWEEN_TEXTS.join(filter(None, texts)))
        if _HALF_A_PAIR.search(text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        found: dict[str, None] = {}
        for number, start, end in self._occurrences(text):
            for word in self._words[number]:
                if word.spelling not in found and _stands_at(text, start, end, word.compounds):
                    found[word.spelling] = None
        return tuple(found)

    def _occurrences(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Number of a form, start and end, by end; found piece by piece, as a long text may hold millions."""
        for begin in range(0, len(text), _PIECE_CHARACTERS):
            before = max(0, begin - self._longest)
            piece = text[before : begin + _PIECE_CHARACTERS]
            for number, start, end in self._search.find_matches_as_indexes(piece, overlapping=True):
                if before + end > begin:
                    yield number, before + start, before + end


def _forms(word: str) -> Iterator[str]:
    """The word with each space between two syllables, and without: spacing of compounds is free in Korean."""
    parts = word.split(" ")
    joints = [
        (" ", "") if particles.is_hangul(left[-1]) and particles.is_hangul(right[0]) else (" ",)
        for left, right in itertools.pairwise(parts)
    ]
    for chosen in itertools.product(*joints):
        yield parts[0] + "".join(joint + part for joint, part in zip(chosen, parts[1:], strict=True))


def _script(char: str) -> str:
    """What a character can make a word with; empty when it makes none, or none that spaces bound."""
    if particles.is_hangul(char):
        return "hangul"
    if not char.isascii() and _NO_SPACES_BETWEEN_WORDS.match(char):
        return ""
    return "other" if char.isalnum() or char == "_" else ""


def _stands_at(text: str, start: int, end: int, compounds: bool) -> bool:
    """Whether what stands from `start` to `end` is a word there."""
    first = _script(text[start])
    if start and first and _script(text[start - 1]) == first:
        return False
    last = _script(text[end - 1])
    if compounds or end == len(text) or not last:
        return True
    if last == "hangul":
        behind = _SYLLABLES.match(text, end)
        return behind is None or particles.may_follow(text[end - 1], behind.group())
    return _script(text[end]) != last
