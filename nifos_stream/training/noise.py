"""What a training hides from the model by chance, so that it does not learn its rows by heart.

Knows nothing of labels, nor of the order of the rows.
"""

import threading

import torch
from torch import Tensor, nn

# Each thread draws its own numbers, so that what is dropped does not depend on which thread is ahead.
_random = threading.local()


class RowDropout(nn.Module):
    """Drop the same units for all tokens of a text: one random number per text and unit."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x: (texts, ..., units). Returns the same shape; unchanged outside training."""
        if not self.training or self.p == 0.0:
            return x
        shape = (x.shape[0], *(1 for _ in x.shape[1:-1]), x.shape[-1])
        return x * (
            (torch.rand(shape, generator=getattr(_random, "generator", None)) >= self.p).to(x.dtype)
            / (1.0 - self.p)
        )


def with_row_dropout(model: nn.Module) -> None:
    """Replace each torch dropout of the model, which draws a number per token and unit, by `RowDropout`."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout):
                setattr(module, name, RowDropout(child.p))


def seed(number: int) -> None:
    """Let this thread draw from here on what `number` stands for."""
    _random.generator = torch.Generator().manual_seed(number)


def without_pieces(ids: Tensor, share: float, hidden: int) -> Tensor:
    """Return token ids (texts, tokens) with a share of them replaced by `hidden`; the first and last stay."""
    if share == 0.0:
        return ids
    drawn = torch.rand(ids.shape, generator=getattr(_random, "generator", None)) < share
    drawn[:, [0, -1]] = False
    return ids.masked_fill(drawn, hidden)
