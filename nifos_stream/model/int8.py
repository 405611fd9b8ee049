"""Linear layers in int8 on the CPU: weights quantised per output column, activations per row.

Since each row has a scale of its own, what a text gives does not depend on its neighbours in the chunk.
The kernel is the one that torch's compiler uses for quantised models (oneDNN's u8 x s8 product); the older
quantized tensors, which torch means to remove, are not needed.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_ZERO_POINT = 128
# One short of 127: the factor is rounded to the rows' dtype, and 127.5 would come out as -128.
_LARGEST = 126.0
_TINY = 1e-30


class Int8Linear:
    """rows (n, in) -> act(rows @ weight.T + bias) + residual, in the dtype of the rows (fp32 or bf16)."""

    def __init__(self, weight: Tensor, bias: Tensor, *, rows_dtype: torch.dtype, gelu: bool = False) -> None:
        bound = 127 if _adds_exactly() else 63
        self._scales = weight.abs().amax(dim=1).clamp_min(_TINY) / bound
        self._weight = _pack((weight / self._scales[:, None]).round().to(torch.int8))
        self._bias = bias.to(rows_dtype)
        self._gelu = gelu

    def __call__(self, rows: Tensor, residual: Tensor | None = None) -> Tensor:
        """Quantise, multiply, scale back, then activate or add."""
        factors = _LARGEST / rows.abs().amax(dim=1, keepdim=True).clamp_min_(_TINY)
        # Signed to unsigned by turning the top bit over, which is adding 128 in place.
        numbers = (rows * factors).round_().to(torch.int8).view(torch.uint8).bitwise_xor_(_ZERO_POINT)
        out = _multiply(numbers, self._weight, self._scales, rows.dtype)
        out.mul_(factors.reciprocal_()).add_(self._bias)
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


def _multiply(numbers: Tensor, weight: Tensor, scales: Tensor, dtype: torch.dtype) -> Tensor:
    multiply: Any = torch.ops.onednn.qlinear_pointwise
    zeros = torch.zeros(len(scales), dtype=torch.int32)
    product: Tensor = multiply(
        numbers, 1.0, _ZERO_POINT, weight, scales, zeros, None, 1.0, 0, dtype, "none", [], ""
    )
    return product


@cache
def _adds_exactly() -> bool:
    """Whether products of 8 bits are added without saturating; CPUs without VNNI add pairs in 16 bits."""
    inputs, outputs = 64, 16
    weight = _pack(torch.full((outputs, inputs), 127, dtype=torch.int8))
    numbers = torch.full((outputs, inputs), 255, dtype=torch.uint8)
    product = _multiply(numbers, weight, torch.ones(outputs), torch.float32)
    return bool((product == 127.0 * 127 * inputs).all())
