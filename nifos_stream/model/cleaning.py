"""Clean a text before a model reads it, and know where each kept character came from.

Knows nothing of tokens or models. Training, evaluation and the worker all call the same `Cleaning`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from nifos_stream.errors import UserError

STEPS = ("nfc", "line_breaks", "kept", "repeats", "spaces")

_JAMO = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\ud7b0-\ud7ff\uffa1-\uffdc"
_EMOJI_MODIFIER = "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
_JOINER = "\u200d"
_REPEATED = f"(?:[^\\w\\s{_JOINER}{_EMOJI_MODIFIER[1:-1]}]|[_{_JAMO}])"
# The look-ahead keeps a character that a modifier or a joiner follows out of the run before it: taking it
# in would leave a new run behind, and cleaning twice would differ from cleaning once.
_REPEATS = re.compile(f"({_REPEATED}{_EMOJI_MODIFIER}?)\\1{{2,}}(?!{_EMOJI_MODIFIER}|{_JOINER})")
_LINE_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text and, for its character i, the span [starts[i], ends[i]) that it came from.

    Both count code points of the given text and never fall. Characters that came from one span together
    (composed with others, or left over from one run) share it.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def may_cut(self, place: int) -> bool:
        """Whether the text may be cut before its character `place`.

        Not inside of what came from one span, and not before a mark, a modifier or a joiner.
        """
        if not 0 < place < len(self.text):
            return False
        return self.ends[place - 1] <= self.starts[place] and not _belongs_to_previous(self.text[place])


@dataclass(frozen=True, slots=True)
class Cleaning:
    """The cleaning that a model was trained with.

    steps: names out of STEPS, in that order, else UserError.
      nfc: compose characters.  line_breaks: each one becomes a space.
      kept: characters outside of the regular expression class `kept` become spaces.
      repeats: three or more times the same jamo, punctuation mark, symbol or emoji become one.
      spaces: a run of whitespace becomes one space, none at the ends.
    Cleaning a clean text changes nothing.
    """

    steps: tuple[str, ...]
    kept: str = ""
    _dropped: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        """Check the steps and compile the class of kept characters."""
        if list(self.steps) != [step for step in STEPS if step in self.steps]:
            raise UserError(
                f"Cleaning steps are some of {', '.join(STEPS)}, in this order, not {self.steps}."
            )
        if ("kept" in self.steps) != bool(self.kept):
            raise UserError("The cleaning step 'kept' and the class of characters to keep need each other.")
        if self.kept:
            try:
                object.__setattr__(self, "_dropped", re.compile(f"[^{self.kept}\\s]"))
            except re.error as error:
                raise UserError(
                    f"The class of characters to keep, {self.kept!r}, is not valid: {error}."
                ) from error

    def __call__(self, text: str) -> str:
        """Return the cleaned text."""
        for step in self.steps:
            if step == "nfc":
                text = unicodedata.normalize("NFC", text)
            elif step == "line_breaks":
                text = _LINE_BREAKS.sub(" ", text)
            elif step == "repeats":
                text = _REPEATS.sub(_one_of_run, text)
            elif step == "spaces":
                text = " ".join(text.split())
            elif self._dropped is not None:
                text = self._dropped.sub(" ", text)
        return text

    def trace(self, text: str) -> Cleaned:
        """Return the cleaned text with the place of each of its characters; slower than calling it."""
        cleaned = Cleaned(text, range(len(text)), range(1, len(text) + 1))
        for step in self.steps:
            if step == "nfc":
                cleaned = _rebuild(cleaned, _compositions(cleaned.text))
            elif step == "line_breaks":
                cleaned = Cleaned(_LINE_BREAKS.sub(" ", cleaned.text), cleaned.starts, cleaned.ends)
            elif step == "repeats":
                cleaned = _rebuild(cleaned, _replacements(_REPEATS, _one_of_run, cleaned.text))
            elif step == "spaces":
                cleaned = _strip(_rebuild(cleaned, _replacements(_SPACES, lambda _: " ", cleaned.text)))
            elif self._dropped is not None:
                cleaned = Cleaned(self._dropped.sub(" ", cleaned.text), cleaned.starts, cleaned.ends)
        return cleaned


_Replacement = tuple[int, int, str]  # [from, to) of a text, and what stands there afterwards.


def _one_of_run(run: re.Match[str]) -> str:
    # Marks and control characters also match; a run of them is no punctuation.
    return run[0] if unicodedata.category(run[1][0])[0] in "MC" else run[1]


def _belongs_to_previous(character: str) -> bool:
    return (
        character == _JOINER
        or unicodedata.category(character).startswith("M")
        or re.match(_EMOJI_MODIFIER, character) is not None
    )


def _replacements(
    pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str], text: str
) -> Iterator[_Replacement]:
    for match in pattern.finditer(text):
        if (new := replace(match)) != match[0]:
            yield match.start(), match.end(), new


def _compositions(text: str) -> Iterator[_Replacement]:
    """Yield the shortest stretches of `text` that NFC changes; it may cut between any two stretches."""
    if unicodedata.is_normalized("NFC", text):
        return
    start = 0
    for place in range(1, len(text) + 1):
        if place < len(text) and not _starts_afresh(text[start:place], text[place]):
            continue
        stretch = text[start:place]
        if (composed := unicodedata.normalize("NFC", stretch)) != stretch:
            yield start, place, composed
        start = place


def _starts_afresh(before: str, character: str) -> bool:
    if unicodedata.combining(unicodedata.normalize("NFD", character)[0]):
        return False
    # Only the last starter can take the character in, so the marks between need not be composed again.
    alone = unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", character)
    return unicodedata.normalize("NFC", before + character) == alone


def _rebuild(cleaned: Cleaned, replacements: Iterator[_Replacement]) -> Cleaned:
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for begin, end, new in replacements:
        texts += (cleaned.text[done:begin], new)
        starts += (*cleaned.starts[done:begin], *[cleaned.starts[begin]] * len(new))
        ends += (*cleaned.ends[done:begin], *[cleaned.ends[end - 1]] * len(new))
        done = end
    if not done:
        return cleaned
    texts.append(cleaned.text[done:])
    return Cleaned("".join(texts), [*starts, *cleaned.starts[done:]], [*ends, *cleaned.ends[done:]])


def _strip(cleaned: Cleaned) -> Cleaned:
    begin = cleaned.text.startswith(" ")
    end = max(begin, len(cleaned.text) - cleaned.text.endswith(" "))
    return Cleaned(cleaned.text[begin:end], cleaned.starts[begin:end], cleaned.ends[begin:end])
