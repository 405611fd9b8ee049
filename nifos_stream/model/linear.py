"""Linear layers over packed rows, by dtype and device. Knows nothing of attention or models."""

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Linear(Protocol):
    """rows (n, in) -> act(rows @ weight.T + bias) + residual (n, out), in the dtype of the rows."""

    def __call__(self, rows: Tensor, residual: Tensor | None = None) -> Tensor:
        """Return a new tensor; at most one of activation and residual is there."""


class PlainLinear:
    """torch's own product: any device, any dtype."""

    def __init__(self, weight: Tensor, bias: Tensor, *, gelu: bool = False) -> None:
        self._weight = weight
        self._bias = bias
        self._gelu = gelu

    def __call__(self, rows: Tensor, residual: Tensor | None = None) -> Tensor:
        """Multiply, then activate or add."""
        out = functional.linear(rows, self._weight, self._bias)
        if self._gelu:
            return functional.gelu(out)
        return out if residual is None else out.add_(residual)


class OneDnnLinear:
    """oneDNN's product on the CPU, with weights laid out for it once and what follows the product fused in.

    torch's compiler puts the same operators in the place of nn.Linear; they have no public name.
    """

    def __init__(self, weight: Tensor, bias: Tensor, *, gelu: bool = False) -> None:
        self._weight = _onednn("_reorder_linear_weight")(weight.contiguous(), None)
        self._bias = bias
        self._activation = "gelu" if gelu else "none"

    def __call__(self, rows: Tensor, residual: Tensor | None = None) -> Tensor:
        """Multiply, activate or add in one pass."""
        multiply = _onednn("_linear_pointwise")
        if residual is None:
            out: Tensor = multiply(rows, self._weight, self._bias, self._activation, [], "none")
        else:
            out = multiply.binary(rows, residual, self._weight, self._bias, "add")
        return out


def _onednn(name: str) -> Any:
    return getattr(torch.ops.mkldnn, name)


def onednn_available() -> bool:
    """Whether OneDnnLinear works in this build of torch."""
    built: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return built and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def make_linear(
    weight: Tensor, bias: Tensor, *, dtype: str, device: torch.device, gelu: bool = False
) -> Linear:
    """Return the fastest layer for a dtype out of DTYPES on a device.

    weight: (out, in) and bias: (out,), in float32 on the CPU.
    """
    weight, bias = (part.detach().to(device, DTYPES[dtype]) for part in (weight, bias))
    if device.type == "cpu" and onednn_available():
        return OneDnnLinear(weight, bias, gelu=gelu)
    return PlainLinear(weight, bias, gelu=gelu)
