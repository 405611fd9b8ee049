"""Remember what was made of the texts seen last. Knows nothing of models; not safe across threads."""

from collections import OrderedDict
from typing import Generic, TypeVar

from nifos_stream.model.pieces import Pieces
from nifos_stream.model.reading import Probabilities

Key = TypeVar("Key")
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """The last `entries` keys asked for or put, and their values.

    It belongs to one classifier, so the revision of model and cleaning need not stand in each key.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._known: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Key) -> Value | None:
        """Return what is remembered of it, or None."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: Key, value: Value) -> None:
        """Remember a value; the one not asked for longest is forgotten when there are too many."""
        if self._entries:
            self._known[key] = value
            if len(self._known) > self._entries:
                self._known.popitem(last=False)


class LabelCache(Cache[bytes, Probabilities]):
    """What the model said of the texts read last, by the token ids that it read."""


class PiecesCache(Cache[str, Pieces]):
    """What the texts seen last are to the model, by the text as given: cleaning and tokenizing are saved.

    People pass on short texts soon, so it is small. Long texts, and those of many pieces, are not remembered:
    memory is bounded.
    """

    ENTRIES = 20_000
    MOST_CHARACTERS = 500
    MOST_PIECES = 16

    def put(self, key: str, value: Pieces) -> None:
        """Remember the pieces of a text, unless it is long or in many."""
        if len(key) <= self.MOST_CHARACTERS and len(value.pieces) <= self.MOST_PIECES:
            super().put(key, value)
