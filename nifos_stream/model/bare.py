"""A forward pass over given texts and nothing else, beside the products of that pass alone. Knows no text."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from nifos_stream.model.chunks import plan
from nifos_stream.model.classifier import Classifier
from nifos_stream.model.directory import find, read_config
from nifos_stream.model.lanes import Lanes
from nifos_stream.model.measure import Clock, Products, operations, timed
from nifos_stream.model.tokenizer import length_of

Chunk = tuple[np.ndarray, list[int]]


class Bare:
    """What a classifier's device is asked for when it reads these texts, prepared and planned beforehand.

    path: of its model. texts: token ids of each. chunk_tokens: most tokens of one pass, else the classifier's
    own. lanes: in place of the classifier's own. spread: no lanes, but one chunk at a time over all cores.
    """

    def __init__(
        self,
        classifier: Classifier,
        path: str,
        texts: Sequence[bytes],
        *,
        chunk_tokens: int | None = None,
        lanes: Lanes | None = None,
        spread: bool = False,
        now: Clock = time.perf_counter,
    ) -> None:
        config = read_config(find(path))
        self._run = classifier.run
        self._lanes = None if spread else lanes or classifier.lanes
        self._device = torch.device(classifier.device)
        self._now = now
        lengths = [length_of(ids) for ids in texts]
        planned = plan(
            lengths, chunk_tokens or classifier.chunk_tokens, self._lanes.count if self._lanes else 1
        )
        self._chunks = [_chunk(texts, chosen) for chosen in planned]
        self._sizes = [(len(ids), len(lengths)) for ids, lengths in self._chunks]
        self._products = Products(
            config, dtype=classifier.dtype, device=self._device, rows=max(rows for rows, _ in self._sizes)
        )
        self.operations = operations(config, lengths)

    def forward_seconds(self) -> float:
        """Return how long it takes to have the logits of all texts."""
        return timed(lambda: self._each(self._forward, self._chunks), self._device, self._now)

    def product_seconds(self) -> float:
        """Return how long the products of that take alone."""
        return timed(lambda: self._each(self._multiply, self._sizes), self._device, self._now)

    def _each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> None:
        if self._lanes:
            self._lanes.map(work, items)
        else:
            list(map(work, items))

    def _forward(self, chunk: Chunk) -> torch.Tensor:
        return self._run(*chunk)

    def _multiply(self, size: tuple[int, int]) -> None:
        self._products(*size)


def _chunk(texts: Sequence[bytes], chosen: Sequence[int]) -> Chunk:
    joined = bytearray().join(texts[i] for i in chosen)
    return np.frombuffer(joined, dtype=np.int32), [length_of(texts[i]) for i in chosen]
