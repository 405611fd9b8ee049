"""Linear layers in int8 on the CPU: weights quantised per output column, activations per row.

Since each row has a scale of its own, what a text gives does not depend on its neighbours in the chunk.
The kernel is the one that torch's compiler uses for quantised models (oneDNN's u8 x s8 product); the older
quantized tensors, which torch means to remove, are not needed.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_TINY = 1e-30
_GELU_LOWEST = 0.17
"""No value of gelu is below the negative of this."""


class Int8Linear(nn.Module):
    """rows (n, in) -> act(rows @ weight.T + bias) + residual, in float32.

    after_gelu: the rows come out of gelu, so that nearly all of them is positive; they are laid over the
    whole range of numbers instead of its upper half.
    """

    def __init__(self, weight: Tensor, bias: Tensor, *, gelu: bool = False, after_gelu: bool = False) -> None:
        super().__init__()
        bound = 127 if _adds_exactly() else 63
        self._scales = weight.abs().amax(dim=1).clamp_min(_TINY) / bound
        numbers = (weight / self._scales[:, None]).round().to(torch.int8)
        self._weight = _pack(numbers)
        self._bias = bias.clone()
        if after_gelu:
            self._bias -= _GELU_LOWEST * numbers.float().sum(dim=1) * self._scales
        self._gelu = gelu
        self._after_gelu = after_gelu
        self._tiny, self._lowest = _TINY, _GELU_LOWEST

    def forward(self, rows: Tensor, residual: Tensor | None = None) -> Tensor:
        """Quantise, multiply, scale back, then activate or add."""
        if self._after_gelu:
            factors = 254 / (rows.amax(dim=1, keepdim=True).clamp_min_(0) + self._lowest)
            numbers, zero_point = (rows * factors).add_(factors * self._lowest - 127), 1
        else:
            factors = 127 / rows.abs().amax(dim=1, keepdim=True).clamp_min_(self._tiny)
            numbers, zero_point = rows * factors, 128
        # Conversion to signed bytes is four times as fast; turning the top bit over then adds 128.
        unsigned = numbers.round_().to(torch.int8).to(torch.uint8).bitwise_xor_(128)
        out = _multiply(unsigned, zero_point, self._weight, self._scales)
        torch.addcmul(self._bias, out, factors.reciprocal_(), out=out)
        if self._gelu:
            return functional.gelu(out)
        return out if residual is None else out.add_(residual)


def available() -> bool:
    """Whether this build of torch has the kernel."""
    return hasattr(torch.ops.onednn, "qlinear_pointwise") and hasattr(torch.ops.onednn, "qlinear_prepack")


def _pack(weight: Tensor) -> Tensor:
    pack: Any = torch.ops.onednn.qlinear_prepack
    packed: Tensor = pack(weight, None)
    return packed


def _multiply(numbers: Tensor, zero_point: int, weight: Tensor, scales: Tensor) -> Tensor:
    zeros = torch.zeros(len(scales), dtype=torch.int32)
    product: Tensor = torch.ops.onednn.qlinear_pointwise(
        numbers, 1.0, zero_point, weight, scales, zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )
    return product


@cache
def _adds_exactly() -> bool:
    """Whether products of 8 bits are added without saturating; CPUs without VNNI add pairs in 16 bits."""
    inputs, outputs = 64, 16
    weight = _pack(torch.full((outputs, inputs), 127, dtype=torch.int8))
    numbers = torch.full((outputs, inputs), 255, dtype=torch.uint8)
    product = _multiply(numbers, 128, weight, torch.ones(outputs))
    return bool((product == 127.0 * 127 * inputs).all())
