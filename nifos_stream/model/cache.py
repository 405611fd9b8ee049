"""Remember what the model said of the texts seen last. Knows nothing of models; not safe across threads."""

from collections import OrderedDict

from nifos_stream.model.reading import Probabilities


class LabelCache:
    """The last `entries` texts read, by the token ids that one model read, and their probabilities.

    It belongs to one classifier, so the model's revision need not stand in each key.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._known: OrderedDict[bytes, Probabilities] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, ids: bytes) -> Probabilities | None:
        """Return what was said of this text, or None."""
        found = self._known.get(ids)
        if found is not None:
            self._known.move_to_end(ids)
        return found

    def put(self, ids: bytes, probabilities: Probabilities) -> None:
        """Remember one text; the one not asked for longest is forgotten when there are too many."""
        if self._entries:
            self._known[ids] = probabilities
            if len(self._known) > self._entries:
                self._known.popitem(last=False)
