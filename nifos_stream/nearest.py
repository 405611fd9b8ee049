"""Which known name somebody may have meant. Knows no names."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Half a sentence, ` (did you mean …?)`, with the nearest of `known`; empty when none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
