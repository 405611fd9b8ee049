"""From texts to readings: prepare, look up, run in chunks, assemble. Knows no file, no broker.

`prepare`, `begin` and `finish` may run at the same time in three threads, each always in the same one: while
the chunks of one batch run, those of the next already stand behind them, and no core waits in between. Where
that is not needed, any thread may call `classify`.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from nifos_stream import logs
from nifos_stream.errors import Reason
from nifos_stream.model.cache import LabelCache, PiecesCache
from nifos_stream.model.chunks import DEFAULT_CHUNK_TOKENS, halves, plan
from nifos_stream.model.lanes import Lanes
from nifos_stream.model.pieces import Pieces, Splitter
from nifos_stream.model.reading import DECIMALS, ModelInfo, Probabilities, Reading, SentenceReading, Unread
from nifos_stream.model.sample import SAMPLE
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
    """Running totals since the start; one thread writes each of them, any may read them."""

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


Said = dict[bytes, Probabilities | Unread]
"""What the model said of texts, by their ids."""

Ran = tuple[torch.Tensor, torch.cuda.Event | None]
"""Logits in main memory, and what they are there after; None when they are there."""


@dataclass(slots=True)
class Begun:
    """A batch whose chunks run.

    said: what is known by now. awaited: what a batch before it, which still runs, will say. missing: what is
    run; `chunks` hold places in it.
    """

    prepared: Prepared
    at: float
    said: Said
    awaited: dict[bytes, "Begun"]
    missing: list[bytes]
    chunks: list[list[int]]
    ran: Iterable[Ran | None]


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
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _classifying: threading.Lock = field(default_factory=threading.Lock, init=False)
    _running: dict[bytes, Begun] = field(default_factory=dict, init=False)
    _finished_at: float = field(default=0.0, init=False)

    def classify(self, texts: Sequence[str]) -> list[Reading | Unread]:
        """Return one reading per text, in order. Any thread may call it; they take turns."""
        with self._classifying:
            return self.forward(self.prepare(texts))

    def prepare(self, texts: Sequence[str]) -> Prepared:
        """Do what needs no device."""
        found = self._pieces(texts)
        return Prepared(found, sum(length_of(piece.ids) for text in found for piece in text.pieces))

    def forward(self, prepared: Prepared) -> list[Reading | Unread]:
        """Return one reading per text, in order. Equal texts are run once; those seen lately not at all."""
        return self.finish(self.begin(prepared))

    def begin(self, prepared: Prepared) -> Begun:
        """Let the device begin with a batch; each must be finished, in the order in which they began."""
        at, lanes = self.now(), self.lanes.count if self.lanes else 1
        begun = Begun(prepared, at, {}, {}, [], [], ())
        with self._lock:
            self._look_up(begun)
        try:
            begun.chunks = plan([length_of(ids) for ids in begun.missing], self.chunk_tokens, lanes)
            begun.ran = self._start(begun.missing, begun.chunks)
        except BaseException:
            self._settle(begun)
            raise
        return begun

    def finish(self, begun: Begun) -> list[Reading | Unread]:
        """Wait for a batch, and return one reading per text, in order."""
        try:
            begun.said |= zip(begun.missing, self._collect(begun), strict=True)
        finally:
            self._settle(begun)
        begun.said |= {ids: other.said[ids] for ids, other in begun.awaited.items()}
        begun.awaited = {}
        readings = [_reading(text, begun.said) for text in begun.prepared.texts]
        self.stats.texts += len(begun.prepared)
        self.stats.tokens += begun.prepared.tokens
        # While the batch before it ran, this one did not.
        self.stats.forward_seconds += self.now() - max(begun.at, self._finished_at)
        self._finished_at = self.now()
        return readings

    def characters_per_second(self) -> float:
        """Read some short texts, with all lanes at work, and return how many characters a second.

        None is remembered. 0 where cleaning leaves nothing of them, or the device has no memory for them.
        """
        sample = [piece for text in self.splitter.split(SAMPLE) for piece in text.pieces]
        lanes = self.lanes.count if self.lanes else 1
        most = min(self.chunk_tokens, DEFAULT_CHUNK_TOKENS[torch.device(self.device).type])
        many = math.ceil(lanes * most / max(1, sum(length_of(piece.ids) for piece in sample)))
        texts = [piece.ids for piece in sample] * many
        characters = [piece.end - piece.start for piece in sample] * many
        chunks = plan(list(map(length_of, texts)), most, lanes)
        # What the first pass takes is mostly what has to be done once.
        for _ in range(2):
            begun_at, read = self.now(), 0
            for chunk, ran in zip(chunks, self._start(texts, chunks), strict=True):
                if ran is not None:
                    self._softmax(*ran)
                    read += sum(characters[place] for place in chunk)
            seconds = self.now() - begun_at
        return read / max(seconds, 1e-6)

    def abandon(self) -> None:
        """Leave undone what no lane has begun; no text is read afterwards."""
        if self.lanes is not None:
            self.lanes.close()

    def _pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Return the pieces of each text. Equal texts are split once; those seen lately not at all."""
        known = {text: self.pieces.get(text) for text in texts}
        missing = [text for text, pieces in known.items() if pieces is None]
        for text, made in zip(missing, self.splitter.split(missing), strict=True):
            known[text] = made
            self.pieces.put(text, made)
        return [found for text in texts if (found := known[text]) is not None]

    def _look_up(self, begun: Begun) -> None:
        """Sort out which of its texts are known, which of them run already, and which must run."""
        wanted = [piece.ids for text in begun.prepared.texts for piece in text.pieces]
        for ids in wanted:
            if ids in begun.said or ids in begun.awaited or self._running.get(ids) is begun:
                continue
            if (found := self.cache.get(ids)) is not None:
                begun.said[ids] = found
            elif (other := self._running.get(ids)) is not None:
                begun.awaited[ids] = other
            else:
                self._running[ids] = begun
                begun.missing.append(ids)
        self.stats.sentences += len(wanted)
        self.stats.cache_lookups += len(wanted)
        self.stats.cache_hits += len(wanted) - len(begun.missing)

    def _settle(self, begun: Begun) -> None:
        """Let no later batch wait for this one; what it said is remembered."""
        with self._lock:
            for ids in begun.missing:
                del self._running[ids]
                if (said := begun.said.get(ids)) and not isinstance(said, Unread):
                    self.cache.put(ids, said)

    def _start(self, texts: Sequence[bytes], chunks: Sequence[Sequence[int]]) -> Iterable[Ran | None]:
        groups = [[texts[i] for i in chunk] for chunk in chunks]
        return self.lanes.start(self._run_chunk, groups) if self.lanes else list(map(self._run_chunk, groups))

    def _collect(self, begun: Begun) -> list[Probabilities | Unread]:
        """Wait for the chunks of texts that are all different; results in order."""
        results: list[Probabilities | Unread] = [_TOO_LARGE] * len(begun.missing)
        chunks, ran = begun.chunks, begun.ran
        while chunks:
            again: list[list[int]] = []
            for chunk, logits in zip(chunks, ran, strict=True):
                if logits is not None:
                    self.stats.chunks += 1
                    for i, found in zip(chunk, self._softmax(*logits), strict=True):
                        results[i] = found
                elif len(chunk) > 1:
                    again += halves(chunk)
            chunks, ran = again, self._start(begun.missing, again)
        return results

    def _run_chunk(self, texts: Sequence[bytes]) -> Ran | None:
        """Return the logits, or None when the device's memory is too small for these texts together."""
        lengths = [length_of(ids) for ids in texts]
        try:
            return _off_device(self.run(np.frombuffer(bytearray().join(texts), dtype=np.int32), lengths))
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            self.chunk_tokens = max(self.info.max_length, min(self.chunk_tokens, sum(lengths)) // 2)
            log.warning("chunk.halved", tokens=sum(lengths), texts=len(texts), chunk_tokens=self.chunk_tokens)
            return None

    def _softmax(self, logits: torch.Tensor, there: torch.cuda.Event | None) -> list[Probabilities | Unread]:
        if there is not None:
            there.synchronize()
        scores = logits.numpy().astype(np.float64)[:, self.order] / self.temperature
        bad = np.logical_not(np.isfinite(scores).all(axis=1))
        if bad.any():
            log.error("model.gave_nan", texts=int(bad.sum()))
        scores[bad] = 0.0
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        rounded = rounded_to_one(scores / scores.sum(axis=1, keepdims=True))
        return [_NAN if failed else triple for triple, failed in zip(rounded, bad.tolist(), strict=True)]


def _off_device(logits: torch.Tensor) -> Ran:
    """Send for the logits without waiting for the device, which goes on with the next chunk."""
    if not logits.is_cuda:
        return logits, None
    coming = logits.to("cpu", non_blocking=True)
    there = torch.cuda.Event()  # type: ignore[no-untyped-call]
    there.record(torch.cuda.current_stream(logits.device))
    return coming, there


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
