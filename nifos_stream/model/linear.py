"""Linear layers over packed rows, by dtype and device. Knows nothing of attention or models."""

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from nifos_stream.model import int8

DTYPES = ("fp32", "bf16", "fp16", "int8")
_ROWS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "int8": torch.float32}


class Linear(Protocol):
    """rows (n, in) -> act(rows @ weight.T + bias) + residual (n, out), in the dtype of the rows.

    Each is a module that can be scripted.
    """

    def __call__(self, rows: Tensor, residual: Tensor | None = None) -> Tensor:
        """Return a new tensor; at most one of activation and residual is there."""


class PlainLinear(nn.Module):
    """torch's own product: any device, any dtype."""

    def __init__(self, weight: Tensor, bias: Tensor, *, gelu: bool = False) -> None:
        super().__init__()
        self._weight = weight
        self._bias = bias
        self._gelu = gelu

    def forward(self, rows: Tensor, residual: Tensor | None = None) -> Tensor:
        """Multiply, then activate or add."""
        out = functional.linear(rows, self._weight, self._bias)
        if self._gelu:
            return functional.gelu(out)
        return out if residual is None else out.add_(residual)


class OneDnnLinear(nn.Module):
    """oneDNN's product on the CPU, with weights laid out for it once and what follows the product fused in.

    torch's compiler puts the same operators in the place of nn.Linear; they have no public name.
    """

    def __init__(self, weight: Tensor, bias: Tensor, *, gelu: bool = False) -> None:
        super().__init__()
        self._weight = _onednn("_reorder_linear_weight")(weight.contiguous(), None)
        self._bias = bias
        self._activation = "gelu" if gelu else "none"

    def forward(self, rows: Tensor, residual: Tensor | None = None) -> Tensor:
        """Multiply, activate or add in one pass."""
        multiply = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001 - it has no public name
        if residual is None:
            out: Tensor = multiply(rows, self._weight, self._bias, self._activation, [], "none")
        else:
            out = multiply(rows, residual, self._weight, self._bias, "add")
        return out


def rows_dtype(dtype: str) -> torch.dtype:
    """Return the dtype of what flows between the products of a dtype out of DTYPES."""
    return _ROWS[dtype]


def make_linear(
    weight: Tensor,
    bias: Tensor,
    *,
    dtype: str,
    device: torch.device,
    gelu: bool = False,
    after_gelu: bool = False,
) -> Linear:
    """Return the fastest layer for a dtype out of DTYPES on a device.

    weight: (out, in) and bias: (out,), in float32 on the CPU. gelu: what the layer ends with; after_gelu:
    what its rows come from. ValueError where the device has no such product.
    """
    weight, bias = weight.detach(), bias.detach()
    if dtype == "int8":
        if device.type != "cpu" or not int8.available():
            raise ValueError(f"there is no int8 product on {device}")
        return int8.Int8Linear(weight, bias, gelu=gelu, after_gelu=after_gelu)
    rows = rows_dtype(dtype)
    weight, bias = weight.to(device, rows), bias.to(device, rows)
    if device.type == "cpu" and _onednn_takes(rows):
        return OneDnnLinear(weight, bias, gelu=gelu)
    return PlainLinear(weight, bias, gelu=gelu)


def _onednn(name: str) -> Any:
    return getattr(torch.ops.mkldnn, name)


def _onednn_takes(dtype: torch.dtype) -> bool:
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    if dtype == torch.bfloat16:
        return bool(_onednn("_is_mkldnn_bf16_supported")())
    return dtype == torch.float32
