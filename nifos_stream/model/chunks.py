"""Decide which texts one forward pass reads together. Knows nothing of models or devices."""

import math
from collections.abc import Sequence

DEFAULT_CHUNK_TOKENS = {"cpu": 512, "cuda": 16384}


def plan(lengths: Sequence[int], chunk_tokens: int, lanes: int = 1) -> list[list[int]]:
    """Cut texts into chunks of at most `chunk_tokens` tokens, the longest texts first.

    lengths: tokens of each text. lanes: chunks that run at once; so many are made at least, and about equal,
    so that the lanes end together. Returns indices into `lengths`; a chunk's texts are sorted by length, so
    that equal lengths stand together. A text longer than `chunk_tokens` is a chunk of its own.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    # Texts do not fill a chunk to the last token, so an even share takes a little less.
    count = max(1, math.ceil(1.02 * sum(lengths) / chunk_tokens))
    target = sum(lengths) / (math.ceil(count / lanes) * lanes)
    chunks: list[list[int]] = []
    filled = done = 0
    for index in order:
        length = lengths[index]
        if not chunks or filled + length > chunk_tokens or done >= target * len(chunks):
            chunks.append([])
            filled = 0
        chunks[-1].append(index)
        filled += length
        done += length
    return chunks


def halves(chunk: list[int]) -> tuple[list[int], list[int]]:
    """Cut a chunk of two texts or more in the middle."""
    middle = len(chunk) // 2
    return chunk[:middle], chunk[middle:]
