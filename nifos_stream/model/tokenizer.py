"""Token ids of cleaned texts, as bytes. Knows nothing of sentences or weights."""

import re
from array import array
from collections.abc import Sequence

import tokenizers

ID_BYTES = 4
_HALF_OF_A_PAIR = re.compile("[\ud800-\udfff]")


class Tokenizer:
    """A `tokenizers` tokenizer with its special tokens; it neither pads nor truncates.

    Ids are native 32-bit integers in `bytes`: one object per text, which is a key of the label cache and
    joins with others into what a forward pass reads.
    """

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        backend.no_padding()
        backend.no_truncation()
        self._backend = backend
        self.special_tokens: int = backend.num_special_tokens_to_add(is_pair=False)

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        """Return the ids of each text, special tokens included."""
        try:
            encoded = self._backend.encode_batch_fast(list(texts))
        except TypeError:
            encoded = self._backend.encode_batch_fast([_whole_characters(text) for text in texts])
        return [array("i", found.ids).tobytes() for found in encoded]

    def starts(self, text: str) -> list[int]:
        """Return where in `text` each token begins, without special tokens."""
        encoded = self._backend.encode(_whole_characters(text), add_special_tokens=False)
        return [start for start, _ in encoded.offsets]


def _whole_characters(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, which no tokenizer takes."""
    return _HALF_OF_A_PAIR.sub("\ufffd", text)


def length_of(ids: bytes) -> int:
    """Return the number of tokens."""
    return len(ids) // ID_BYTES


def truncated(ids: bytes, length: int) -> bytes:
    """Return the first `length` tokens; the last of them is the last of all ([SEP])."""
    return ids[: (length - 1) * ID_BYTES] + ids[-ID_BYTES:]
