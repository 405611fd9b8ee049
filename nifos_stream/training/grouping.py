"""Token ids, and batches of texts of about the same length. Knows nothing of files or of models."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tokenizers
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from nifos_stream.model.cleaning import Cleaning
from nifos_stream.model.tokenizer import Tokenizer, length_of, truncated

GROUPED_BATCHES = 50
_TEXTS_PER_CALL = 10_000


def encode(
    backend: tokenizers.Tokenizer, cleaning: Cleaning, texts: Sequence[str], *, max_length: int | None = None
) -> list[bytes]:
    """Return the ids of each text as the worker reads them: cleaned, then once through the tokenizer.

    [CLS] and [SEP] stand there once, also where the text is cut to max_length.
    """
    tokenizer = Tokenizer(backend)
    ids: list[bytes] = []
    for start in range(0, len(texts), _TEXTS_PER_CALL):
        ids += tokenizer.encode([cleaning(text) for text in texts[start : start + _TEXTS_PER_CALL]])
    if max_length is None:
        return ids
    return [truncated(one, max_length) if length_of(one) > max_length else one for one in ids]


@dataclass(frozen=True, slots=True)
class Example:
    """One text as the model reads it, what it should say, and how much that matters."""

    ids: bytes
    label: int
    weight: float


class Examples(Dataset[Example]):
    """Rows in a fixed order."""

    def __init__(self, ids: Sequence[bytes], labels: Sequence[int], weights: Sequence[float]) -> None:
        self._ids, self._labels, self._weights = ids, labels, weights
        self.lengths = [length_of(one) for one in ids]

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, place: int) -> Example:
        return Example(self._ids[place], self._labels[place], self._weights[place])

    def by_length(self) -> "Examples":
        """The same rows, the longest first: batches in this order hold the least padding."""
        order = sorted(range(len(self)), key=lambda place: -self.lengths[place])
        chosen = ([values[place] for place in order] for values in (self._ids, self._labels, self._weights))
        return Examples(*chosen)  # type: ignore[arg-type]

    @property
    def labels(self) -> list[int]:
        """The label of each row."""
        return list(self._labels)


@dataclass(frozen=True, slots=True)
class Collator:
    """Puts examples side by side, padded to the longest of them and no further."""

    pad_id: int

    def __call__(self, examples: Sequence[Example]) -> Mapping[str, Tensor]:
        """Return input_ids and attention_mask (texts, longest), labels and weights (texts,)."""
        longest = max(length_of(example.ids) for example in examples)
        ids = np.full((len(examples), longest), self.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, example in enumerate(examples):
            length = length_of(example.ids)
            ids[place, :length] = np.frombuffer(example.ids, dtype=np.int32)
            mask[place, :length] = 1
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "labels": torch.tensor([example.label for example in examples]),
            "weights": torch.tensor([example.weight for example in examples]),
        }


class LengthGroups(Sampler[int]):
    """All rows once an epoch, so that rows of a batch are about equally long.

    Rows are drawn at random, sorted by length within GROUPED_BATCHES batches, and those batches shuffled. The
    order depends on seed and epoch alone, so that a resumed training reads what the other would have read.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths = np.asarray(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes; accelerate calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self._seed, self._epoch))
        rows = random.permutation(len(self))
        size = self._batch_size
        batches: list[np.ndarray] = []
        for start in range(0, len(rows), size * GROUPED_BATCHES):
            group = rows[start : start + size * GROUPED_BATCHES]
            group = group[np.argsort(self._lengths[group], kind="stable")]
            batches += [group[place : place + size] for place in range(0, len(group), size)]
        # Batches are cut from this order by their size alone, so the one that is not full must come last.
        full = [batch for batch in batches if len(batch) == size]
        rest = [batch for batch in batches if len(batch) < size]
        for place in random.permutation(len(full)):
            yield from full[place].tolist()
        for batch in rest:
            yield from batch.tolist()
