"""From texts to readings: prepare, look up, run in chunks, assemble. Knows no file, no broker.

`prepare` and `forward` may run at the same time in two threads, each always in the same one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from nifos_stream import logs
from nifos_stream.errors import Reason
from nifos_stream.model.cache import LabelCache, PiecesCache
from nifos_stream.model.chunks import halves, plan
from nifos_stream.model.lanes import Lanes
from nifos_stream.model.pieces import Pieces, Splitter
from nifos_stream.model.reading import DECIMALS, ModelInfo, Probabilities, Reading, SentenceReading, Unread
from nifos_stream.model.tokenizer import length_of

log = logs.get(__name__)

_EMPTY = Unread(Reason.EMPTY_TEXT, "Nothing is left of the text after cleaning.")
_NAN = Unread(Reason.MODEL_NAN, "The model gave no number for this text.")
_TOO_LARGE = Unread(Reason.TEXT_TOO_LARGE, "The device has not enough memory for this text.")


class Run(Protocol):
    """A forward pass over packed texts, as PackedElectra is one."""

    def __call__(self, ids: np.ndarray, lengths: Sequence[int]) -> torch.Tensor:
        """Return logits, float32 (texts, 3)."""


@dataclass(slots=True)
class Stats:
    """Running totals since the start; one thread writes them, any may read them."""

    texts: int = 0
    sentences: int = 0
    tokens: int = 0
    chunks: int = 0
    padding_tokens: int = 0
    cache_lookups: int = 0
    cache_hits: int = 0
    forward_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Texts cleaned, split and tokenized."""

    texts: Sequence[Pieces]
    tokens: int

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(slots=True)
class Classifier:
    """Reads texts with one model on one device.

    chunk_tokens: most tokens of one forward pass; it shrinks when the device runs out of memory.
    lanes: where several passes run at once; None for one after another.
    """

    info: ModelInfo
    device: str
    dtype: str
    chunk_tokens: int
    run: Run
    lanes: Lanes | None
    splitter: Splitter
    cache: LabelCache
    pieces: PiecesCache
    order: tuple[int, int, int]
    temperature: float
    now: Callable[[], float] = time.perf_counter
    stats: Stats = field(default_factory=Stats)

    def classify(self, texts: Sequence[str]) -> list[Reading | Unread]:
        """Return one reading per text, in order."""
        return self.forward(self.prepare(texts))

    def prepare(self, texts: Sequence[str]) -> Prepared:
        """Do what needs no device."""
        found = self._pieces(texts)
        return Prepared(found, sum(length_of(piece.ids) for text in found for piece in text.pieces))

    def forward(self, prepared: Prepared) -> list[Reading | Unread]:
        """Return one reading per text, in order. Equal texts are run once; those seen lately not at all."""
        begin = self.now()
        known = self._probabilities([piece.ids for text in prepared.texts for piece in text.pieces])
        readings = [_reading(text, known) for text in prepared.texts]
        self.stats.texts += len(prepared)
        self.stats.tokens += prepared.tokens
        self.stats.forward_seconds += self.now() - begin
        return readings

    def _pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Return the pieces of each text. Equal texts are split once; those seen lately not at all."""
        known = {text: self.pieces.get(text) for text in texts}
        missing = [text for text, pieces in known.items() if pieces is None]
        for text, made in zip(missing, self.splitter.split(missing), strict=True):
            known[text] = made
            self.pieces.put(text, made)
        return [found for text in texts if (found := known[text]) is not None]

    def _probabilities(self, wanted: Sequence[bytes]) -> dict[bytes, Probabilities | Unread]:
        """Return what each text says, by its ids."""
        known: dict[bytes, Probabilities | Unread] = {}
        missing: dict[bytes, None] = {}
        for ids in wanted:
            if ids in known or ids in missing:
                continue
            if (found := self.cache.get(ids)) is None:
                missing[ids] = None
            else:
                known[ids] = found
        self.stats.sentences += len(wanted)
        self.stats.cache_lookups += len(wanted)
        self.stats.cache_hits += len(wanted) - len(missing)
        todo = list(missing)
        for ids, said in zip(todo, self._run_all(todo), strict=True):
            known[ids] = said
            if not isinstance(said, Unread):
                self.cache.put(ids, said)
        return known

    def _run_all(self, texts: Sequence[bytes]) -> list[Probabilities | Unread]:
        """Run texts that are all different; results in order."""
        results: list[Probabilities | Unread] = [_TOO_LARGE] * len(texts)
        lanes = self.lanes.count if self.lanes else 1
        chunks = plan([length_of(ids) for ids in texts], self.chunk_tokens, lanes)
        done: list[tuple[list[int], torch.Tensor]] = []
        while chunks:
            groups = [[texts[i] for i in chunk] for chunk in chunks]
            ran = self.lanes.map(self._run_chunk, groups) if self.lanes else map(self._run_chunk, groups)
            again: list[list[int]] = []
            for chunk, logits in zip(chunks, ran, strict=True):
                if logits is not None:
                    done.append((chunk, logits))
                elif len(chunk) > 1:
                    again += halves(chunk)
            chunks = again
        self.stats.chunks += len(done)
        # Only now is a GPU waited for: it ran each chunk while the next was being prepared.
        for chunk, logits in done:
            for i, found in zip(chunk, self._softmax(logits), strict=True):
                results[i] = found
        return results

    def _run_chunk(self, texts: Sequence[bytes]) -> torch.Tensor | None:
        """Return the logits, or None when the device's memory is too small for these texts together."""
        lengths = [length_of(ids) for ids in texts]
        try:
            return self.run(np.frombuffer(bytearray().join(texts), dtype=np.int32), lengths)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            self.chunk_tokens = max(self.info.max_length, min(self.chunk_tokens, sum(lengths)) // 2)
            log.warning("chunk.halved", tokens=sum(lengths), texts=len(texts), chunk_tokens=self.chunk_tokens)
            return None

    def _softmax(self, logits: torch.Tensor) -> list[Probabilities | Unread]:
        scores = logits.cpu().numpy().astype(np.float64)[:, self.order] / self.temperature
        bad = np.logical_not(np.isfinite(scores).all(axis=1))
        if bad.any():
            log.error("model.gave_nan", texts=int(bad.sum()))
        scores[bad] = 0.0
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        rounded = rounded_to_one(scores / scores.sum(axis=1, keepdims=True))
        return [_NAN if failed else triple for triple, failed in zip(rounded, bad.tolist(), strict=True)]


def rounded_to_one(probabilities: np.ndarray) -> list[Probabilities]:
    """Round rows of three probabilities to DECIMALS so that each still sums to 1; the largest gives way."""
    rows = probabilities.round(DECIMALS)
    every, largest = np.arange(len(rows)), probabilities.argmax(axis=1)
    rows[every, largest] = 0.0
    rows[every, largest] = (1.0 - rows.sum(axis=1)).round(DECIMALS)
    return [(negative, neutral, positive) for negative, neutral, positive in rows.tolist()]


def _reading(text: Pieces, known: dict[bytes, Probabilities | Unread]) -> Reading | Unread:
    if text.whole and text.pieces:
        ids = text.pieces[0].ids
        said = known[ids]
        return said if isinstance(said, Unread) else Reading(said, length_of(ids), (), text.truncated)
    found: list[SentenceReading] = []
    for piece in text.pieces:
        probabilities = known[piece.ids]
        if isinstance(probabilities, Unread):
            return probabilities
        found.append(SentenceReading(piece.start, piece.end, length_of(piece.ids), probabilities))
    if not found:
        return _EMPTY
    tokens = sum(sentence.tokens for sentence in found)
    weighted = np.array([sentence.probabilities for sentence in found]).T @ [s.tokens for s in found]
    mean = rounded_to_one((weighted / tokens)[None])[0]
    return Reading(mean, tokens, tuple(found), text.truncated)
