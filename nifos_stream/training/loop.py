"""One training under a time budget: the learning rate reaches zero when the time is over.

Knows nothing of files of labelled rows, nor of how the model was built.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import ElectraForSequenceClassification

from nifos_stream.training import forward, noise

# What a piece becomes that is hidden: the unknown piece, as the encoder's vocabulary numbers it.
HIDDEN_PIECE = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """The hyperparameters of one training.

    hidden_pieces: share of a text's pieces that a reading hides. source_loss: how much it matters, beside
    the label, to tell from the text where it is from; labels of one text differ from source to source.
    """

    seconds: float
    peak_rate: float = 3e-4
    warmup_steps: int = 300
    batches_per_step: int = 2
    rows_per_step: int = 96
    label_smoothing: float = 0.05
    hidden_pieces: float = 0.0
    source_loss: float = 0.0
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    bf16: bool = True
    checkpoint_seconds: float = 300.0
    report_seconds: float = 900.0
    seed: int = 42


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is; `share` of its time budget is used."""

    step: int
    rows: int
    seconds: float
    share: float
    loss: float


class SparseRows:
    """Adam for an embedding that touches only the rows of this step, which are few of many."""

    def __init__(self, weight: Tensor, betas: tuple[float, float]) -> None:
        self.weight = weight
        self.betas = betas
        self.mean = torch.zeros_like(weight)
        self.square = torch.zeros_like(weight)

    def step(self, rows: Tensor, gradient: Tensor, rate: float, step: int) -> None:
        """Move `rows` (distinct numbers) against `gradient` (rows, width)."""
        slow, slower = self.betas
        mean = self.mean[rows].mul_(slow).add_(gradient, alpha=1 - slow)
        square = self.square[rows].mul_(slower).addcmul_(gradient, gradient, value=1 - slower)
        self.mean[rows], self.square[rows] = mean, square
        scale = (square / (1 - slower**step)).sqrt_().add_(1e-8)
        self.weight.data[rows] -= rate / (1 - slow**step) * mean / scale


class Training:
    """A model, its optimizers and its place in the batches; saved and resumed as one."""

    def __init__(
        self,
        model: ElectraForSequenceClassification,
        plan: Plan,
        batches: Iterator[list[int]],
        ids: Sequence[Sequence[int]],
        targets: Tensor,
        sources: Sequence[int],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """targets: probabilities (rows, labels) to learn. sources: a number from 0 on per row."""
        self.model, self.plan, self.ids, self.targets = model, plan, ids, targets
        self.sources = sources
        self._source_head = nn.Linear(model.config.hidden_size, max(sources) + 1)
        self.step, self.rows, self.used_seconds, self.loss = 0, 0, 0.0, 0.0
        self._batches, self._now = batches, now
        self._words = model.electra.embeddings.word_embeddings.weight
        self._words.requires_grad_(False)
        self._sparse = SparseRows(self._words, plan.betas)
        self._trained = trained = [p for p in model.parameters() if p.requires_grad]
        trained.extend(self._source_head.parameters())
        self._threads = ThreadPoolExecutor(plan.batches_per_step)
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": plan.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._dense = torch.optim.AdamW(groups, lr=0.0, betas=plan.betas, fused=True)

    def run(
        self, checkpoint: Path, report: Callable[[Progress], None], *, steps: int | None = None
    ) -> Progress:
        """Train until the time budget, or the number of steps, is used; checkpoints lie at `checkpoint`."""
        began = self._now() - self.used_seconds
        saved = reported = self.used_seconds
        while self.used_seconds < self.plan.seconds and (steps is None or self.step < steps):
            self._one_step(self._rate())
            self.used_seconds = self._now() - began
            if self.used_seconds - saved >= self.plan.checkpoint_seconds:
                self.save(checkpoint)
                saved = self.used_seconds
            if self.used_seconds - reported >= self.plan.report_seconds:
                report(self.progress())
                reported = self.used_seconds
        self.save(checkpoint)
        if reported != self.used_seconds:
            report(self.progress())
        return self.progress()

    def progress(self) -> Progress:
        """Say how far this training is; its loss is a running mean over some hundred steps."""
        share = min(1.0, self.used_seconds / self.plan.seconds)
        return Progress(self.step, self.rows, self.used_seconds, share, self.loss)

    def save(self, path: Path) -> None:
        """Write everything that a resumed training needs; the file is whole or not there."""
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "source_head": self._source_head.state_dict(),
            "dense": self._dense.state_dict(),
            "sparse": {"mean": self._sparse.mean, "square": self._sparse.square},
            "place": [self.step, self.rows, self.used_seconds, self.loss],
        }
        unfinished = path.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def resume(self, path: Path) -> None:
        """Go on where `save` was called, with fresh batches that begin at the first one."""
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._source_head.load_state_dict(state["source_head"])
        self._dense.load_state_dict(state["dense"])
        self._sparse.mean, self._sparse.square = state["sparse"]["mean"], state["sparse"]["square"]
        self.step, self.rows, self.used_seconds, self.loss = state["place"]
        for _ in itertools.islice(self._batches, self.step * self.plan.batches_per_step):
            pass

    def _rate(self) -> float:
        warm = min(1.0, (self.step + 1) / self.plan.warmup_steps)
        return self.plan.peak_rate * warm * max(0.0, 1.0 - self.used_seconds / self.plan.seconds)

    def _one_step(self, rate: float) -> None:
        """1. Gather the batches. 2. Sum their gradients. 3. Clip. 4. Move all weights.

        Each batch has a thread of its own and each product one: threads that meet once a step lose
        little on a busy machine, threads that meet in every product lose nearly all.
        """
        self.model.train()
        groups = [next(self._batches) for _ in range(self.plan.batches_per_step)]
        answers = list(self._threads.map(self._gradients, range(len(groups)), groups))
        for parameter, *gradients in zip(self._trained, *(answer[1] for answer in answers), strict=True):
            total = gradients[0]
            for gradient in gradients[1:]:
                total.add_(gradient)
            parameter.grad = total
        rows, places = torch.unique(torch.cat([answer[2] for answer in answers]), return_inverse=True)
        words = torch.zeros(len(rows), self._words.shape[1])
        words.index_add_(0, places, torch.cat([answer[3] for answer in answers]))
        norms = [parameter.grad.norm() for parameter in self._trained if parameter.grad is not None]
        norm = float(torch.stack([*norms, words.norm()]).norm())
        scale = min(1.0, self.plan.clip / (norm + 1e-6))
        for parameter in self._trained:
            if parameter.grad is not None:
                parameter.grad.mul_(scale)
        self.step += 1
        for settings in self._dense.param_groups:
            settings["lr"] = rate
        self._dense.step()
        self._sparse.step(rows, words.mul_(scale), rate, self.step)
        read = sum(len(group) for group in groups)
        self.rows += read
        kept = min(0.99, 1 - 1 / self.step)
        self.loss = kept * self.loss + (1 - kept) * sum(answer[0] for answer in answers) / read

    def _gradients(self, place: int, group: list[int]) -> tuple[float, list[Tensor], Tensor, Tensor]:
        """Return the summed loss, the gradient of each trained weight, and words with their gradients."""
        plan = self.plan
        noise.seed(hash((plan.seed, self.step, place)))
        ids = torch.tensor([self.ids[row] for row in group])
        ids = noise.without_pieces(ids, plan.hidden_pieces, HIDDEN_PIECE)
        words = F.embedding(ids, self._words).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.bf16):
            first = forward.first_tokens(self.model, words)
            logits = self.model.classifier(first).float()
            told = self._source_head(first[:, 0]).float()
        loss = F.cross_entropy(
            logits, self.targets[group], label_smoothing=plan.label_smoothing, reduction="sum"
        )
        sources = torch.tensor([self.sources[row] for row in group])
        whole = loss + plan.source_loss * F.cross_entropy(told, sources, reduction="sum")
        gradients = torch.autograd.grad(whole / plan.rows_per_step, [*self._trained, words])
        return float(loss.detach()), list(gradients[:-1]), ids.flatten(), gradients[-1].flatten(0, 1)
