"""Content words of Korean text: nouns, roots, verbs and adjectives, by kiwipiepy. Knows no post and no count.

A word that no dictionary has (the name of a place, most of all) may be split by the analyser, now so and now
otherwise. So every run of nouns within a spaced word is a word as a whole, too; and of a spaced word that was
cut in pieces its beginnings are remembered, without the particle that each ends in (`Head`). `named` then
takes those that are words: known as a noun from elsewhere, or seen with different particles.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

from nifos_stream.errors import Refusal, UserError

MOST_CHARACTERS = 20
"""Longer words are none that people use."""
_LEAST_PARTICLES = 2
# As they are written after a noun; endings of nouns said in passing (네요, 입니다) are among them.
_WRITTEN_PARTICLES = (
    "이 가 은 는 을 를 의 에 도 만 와 과 로 랑 나 야 요 란 라 에서 에게 으로 까지 부터 처럼 보다 "
    "마다 조차 밖에 한테 하고 이랑 이나 이라 이란 이요 이야 에는 에도 에만 에선 에서는 에서도 에서의 "
    "에서만 으로는 으로도 로는 로도 까지는 까지도 보다는 부터는 만의 만은 과는 와는 네요 이네요 에요 예요 "
    "이에요 입니다 이다 인데 라고 이라고 라는 이라는"
)
_PARTICLES = frozenset(_WRITTEN_PARTICLES.split())
_NOUNS = frozenset({"NNG", "NNP", "XR", "SL", "SH", "UN"})
_JOINED = _NOUNS | {"XPN", "XSN", "SN", "NR", "MM", "NNB"}
"""What a compound may have beside nouns."""
_PREDICATES = frozenset({"VV", "VA"})
# These stand beside everything.
_LIGHT = frozenset({"하다", "되다", "있다", "같다", "그렇다", "이렇다", "어떻다"})
_OPENING = _JOINED | {"MAG", "NP"}
_LATIN = frozenset({"SL", "SH", "SN"})


class Token(Protocol):
    """As kiwipiepy has it. start, len: of the text, in code points."""

    form: str
    tag: str
    lemma: str
    start: int
    len: int
    word_position: int


@dataclass(frozen=True, slots=True)
class Words:
    """What a text says: each word once.

    sure: content words; nouns: those of them that are nouns. heads: what may be a word, and what followed it.
    """

    sure: frozenset[str]
    nouns: frozenset[str]
    heads: frozenset[tuple[str, str]]


class Reader:
    """Reads texts with one analyser, which takes seconds to load. Belongs to one thread.

    UserError when kiwipiepy is not installed.
    """

    def __init__(self) -> None:
        try:
            import kiwipiepy
        except ModuleNotFoundError as error:
            package = str(error.name)
            said = f"What drives the counts needs more packages ({package}): pip install 'nifos-stream[web]'."
            raise UserError(said, Refusal.WORDS_MISSING, package=package) from None
        self._kiwi: Any = kiwipiepy.Kiwi(num_workers=1)

    def read(self, texts: Sequence[str]) -> list[Words]:
        """The words of each text."""
        composed = [unicodedata.normalize("NFC", text) for text in texts]
        return [words_of(text, self._kiwi.tokenize(text)) for text in composed]


def words_of(text: str, tokens: Iterable[Token]) -> Words:
    """The words of a text that was cut in tokens."""
    predicates: set[str] = set()
    nouns: set[str] = set()
    heads: set[tuple[str, str]] = set()
    for part in _parts(tokens):
        predicates.update(token.lemma for token in part if token.tag.partition("-")[0] in _PREDICATES)
        found = list(_compounds(text, part))
        nouns.update(found)
        if _is_cut(part):
            spelt = _spelt(text, part)
            heads.update((head, particle) for head, particle in _beginnings(spelt) if head not in found)
    return Words(frozenset(predicates - _LIGHT | nouns), frozenset(nouns), frozenset(heads))


def named(read: Sequence[Words]) -> list[frozenset[str]]:
    """The words of each text, with those beginnings that all texts together show to be words."""
    nouns = frozenset().union(*(words.nouns for words in read))
    particles: dict[str, set[str]] = {}
    for words in read:
        for head, particle in words.heads:
            particles.setdefault(head, set()).add(particle)
    known = {head for head, seen in particles.items() if head in nouns or len(seen) >= _LEAST_PARTICLES}
    return [words.sure | {head for head, _ in words.heads if head in known} for words in read]


def _parts(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """Spaced words, cut at symbols."""
    for _, spaced in groupby(tokens, key=lambda token: token.word_position):
        for is_symbol, part in groupby(spaced, key=_is_symbol):
            if not is_symbol:
                yield list(part)


def _is_symbol(token: Token) -> bool:
    return token.tag.startswith(("S", "W_", "Z")) and token.tag not in _LATIN


def _compounds(text: str, part: Sequence[Token]) -> Iterator[str]:
    """Each noun, and each run of nouns as a whole."""
    for joined, run in groupby(part, key=lambda token: token.tag in _JOINED):
        tokens = list(run)
        if not joined or not any(token.tag in _NOUNS for token in tokens):
            continue
        whole = _spelt(text, tokens)
        if len(tokens) > 1 and len(whole) <= MOST_CHARACTERS:
            yield whole
        before = ""
        for token in tokens:
            # Of 불친절 the noun alone would say the opposite; single syllables of a compound say nothing.
            is_short = len(token.form) == 1 and (len(tokens) > 1 or token.tag == "SL")
            if token.tag in _NOUNS and before != "XPN" and not is_short:
                yield token.form.lower()[:MOST_CHARACTERS]
            before = token.tag


def _is_cut(part: Sequence[Token]) -> bool:
    """Whether it may hold a word that the analyser does not know: not one stem with its endings."""
    stem = [token for token in part if not token.tag.startswith(("J", "E", "VCP", "XSV", "XSA", "VX", "EP"))]
    return len(stem) > 1 and (stem[0].tag in _OPENING or stem[-1].tag in _NOUNS)


def _beginnings(spelt: str) -> Iterator[tuple[str, str]]:
    """The word itself, and it without each particle that it may end in."""
    if 2 <= len(spelt) <= MOST_CHARACTERS:
        yield spelt, ""
    for length in range(1, min(4, len(spelt) - 2) + 1):
        if spelt[-length:] in _PARTICLES and len(spelt) - length <= MOST_CHARACTERS:
            yield spelt[:-length], spelt[-length:]


def _spelt(text: str, tokens: Sequence[Token]) -> str:
    return text[tokens[0].start : tokens[-1].start + tokens[-1].len].lower()
