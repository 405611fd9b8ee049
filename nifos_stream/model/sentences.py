"""Find where the sentences of a Korean text end. Knows nothing of tokens."""

import re
from collections.abc import Iterator

Span = tuple[int, int]
"""[from, to) in code points."""

_MARKS = "!?…。！？｡⁇⁈⁉‼"
_CLOSING = "\"'”’」』》〉)\\]}"
_EMOJI = "♡♥\u2600-\u27bf\ufe0f\u200d\U0001f000-\U0001faff"
_JAMO = "ㄱ-ㆎ"
_WAVES = "~〜～^"
# A run of all that can stand at the end of a sentence is looked at once, as a whole: looking ahead from
# each of its characters would take quadratic time on a text of nothing else.
_TAIL = re.compile(f"[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]|[.;{_MARKS}{_CLOSING}{_JAMO}{_WAVES}{_EMOJI}]++")
_IS_CLOSING = re.compile(f"[{_CLOSING}]")
_HAS_MARK = re.compile(f"[{_MARKS}]")
_HAS_COMPANION = re.compile(f"[{_WAVES}{_EMOJI}]|[{_JAMO}]{{2}}")
_LIST_NUMBER = re.compile(r"\s*\d+")


def split(text: str) -> Iterator[Span]:
    """Yield the sentences of `text`, in order, disjoint, without spaces at their ends.

    They cover every character that is not whitespace. A sentence ends at a line break, after terminal
    punctuation, or after what Koreans write instead of it before a space: ㅋㅋ, ㅠㅠ, ~, ♡, emoji.
    """
    start = 0
    for tail in _TAIL.finditer(text):
        if _ends(text, start, tail):
            yield from stripped(text, start, tail.end())
            start = tail.end()
    yield from stripped(text, start, len(text))


def stripped(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the span without whitespace at its ends, or nothing if there is nothing else."""
    stretch = text[start:end]
    start += len(stretch) - len(stretch.lstrip())
    end = start + len(stretch.strip())
    if start < end:
        yield start, end


def _ends(text: str, start: int, tail: re.Match[str]) -> bool:
    run = tail[0]
    if run.isspace():
        return True
    before = text[tail.start() - 1 : tail.start()]
    after = text[tail.end() : tail.end() + 1]
    spaced = not after or after.isspace()
    if not spaced and _IS_CLOSING.match(run[-1]):
        return False  # “좋아요!”라고 했다
    if _HAS_MARK.search(run):
        return True
    if "." in run:
        if before.isascii() and before.isalnum():  # 3.5, a.kr, and the number of a list's item
            return spaced and not _LIST_NUMBER.fullmatch(text, start, tail.start())
        return spaced or not (after.isascii() and after.isalnum())
    if before.isdigit() and run[0] in _WAVES:  # 10~ 12
        return False
    return spaced and _HAS_COMPANION.search(run) is not None
