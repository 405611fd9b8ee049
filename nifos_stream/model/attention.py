"""Attention of each text within itself, over packed rows. Knows nothing of layers or weights."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.varlen import varlen_attn

_MOST_HEAD_DIM = 256
# On rows shorter than a vector of the CPU, torch's softmax takes number by number, ten times as long.
_SHORT = 16
# Up to here a float32 holds the exponential, and the sum of many, without moving the numbers first.
_EXPONENT = 80.0
_LEAST_STEP = 8
_STEPS_BITS = 5


class Packing(NamedTuple):
    """How the rows of several texts lie one after another.

    groups: (length, texts) of neighbours of equal length. longest: rows of the longest text.
    positions, firsts: int64 on the device; each row's place in its text, and the first row of each text; and
    zeros for rows that belong to no text, which follow all others.
    ends, counts: int32 (texts + 1,) on the device; cumulated lengths, and the same for one row a text.
    varlen: attend with torch's variable-length kernel, not group by group.
    """

    groups: list[tuple[int, int]]
    longest: int
    positions: Tensor
    firsts: Tensor
    ends: Tensor
    counts: Tensor
    varlen: bool


def pack(lengths: Sequence[int], device: torch.device, *, varlen: bool, rounded: bool = False) -> Packing:
    """Describe texts of these lengths, packed.

    rounded: with rows of no text, so that there are as many as `few` says, of all and of first ones.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    positions, firsts = np.arange(ends[-1]) - np.repeat(ends[:-1], sizes), ends[:-1].copy()
    if rounded:
        positions, firsts = (filled(numbers, few(len(numbers))) for numbers in (positions, firsts))
    return Packing(
        groups=[(length, len(list(same))) for length, same in groupby(lengths)],
        longest=max(lengths),
        positions=to_device(positions, device),
        firsts=to_device(firsts, device),
        ends=to_device(ends.astype(np.int32), device),
        counts=to_device(np.arange(len(sizes) + 1, dtype=np.int32), device),
        varlen=varlen,
    )


def few(rows: int) -> int:
    """Return the least of some numbers that is not below `rows`: 32 of them up to twice as many.

    oneDNN makes a kernel for each number of rows that it meets: about a millisecond, and 258 kB kept.
    """
    step = max(_LEAST_STEP, 1 << max(0, rows.bit_length() - 1 - _STEPS_BITS))
    return -(-rows // step) * step


def filled(numbers: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    """Return `numbers` and zeros behind them, `count` together."""
    more = np.zeros(count, dtype=numbers.dtype)
    more[: len(numbers)] = numbers
    return more


def to_device(numbers: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    """Copy without waiting for what the device is doing."""
    tensor = torch.from_numpy(numbers)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def attend(query: Tensor, key: Tensor, value: Tensor, packing: Packing, firsts_alone: bool = False) -> Tensor:
    """Attend within each text only; rows of no text get zeros. Can be scripted where it is not varlen.

    key, value: (rows, heads, head_dim), rows of all texts one after another.
    query: the same, or with firsts_alone (texts, heads, head_dim) for one row of each text; already divided
    by the square root of head_dim.
    Returns the query's rows, (…, heads * head_dim). Scaled dot-product attention, Vaswani et al. 2017, eq. 1.
    """
    if packing.varlen:
        return _attend_varlen(query, key, value, packing, firsts_alone)
    heads, size = query.shape[1], query.shape[2]
    out = query.new_empty([len(query), heads, size])
    begin, first = 0, 0
    for length, texts in packing.groups:
        rows = 1 if firsts_alone else length
        end, last = begin + texts * length, first + texts * rows
        out[first:last].view(texts, rows, heads, size).copy_(
            _attend_equal(
                query[first:last].view(texts, rows, heads, size).transpose(1, 2),
                key[begin:end].view(texts, length, heads, size).transpose(1, 2),
                value[begin:end].view(texts, length, heads, size).transpose(1, 2),
            ).transpose(1, 2)
        )
        begin, first = end, last
    out[first:] = 0
    return out.view(len(query), heads * size)


def _attend_equal(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend in texts of equal length: (texts, heads, rows, head_dim)."""
    if query.is_cpu:
        # On texts this short plain products take less time than the fused kernel. In float32, whatever the
        # rows are in: oneDNN would make a kernel for each number of texts and each length in bf16.
        return _weighed(query.float() @ key.float().transpose(2, 3), value.float())
    return functional.scaled_dot_product_attention(query, key, value, scale=1.0)


def _weighed(scores: Tensor, value: Tensor, short: int = _SHORT, exponent: float = _EXPONENT) -> Tensor:
    """Return softmax(scores) @ value; scores: float32 (…, rows, length), and lost."""
    if scores.shape[-1] < short:
        least, most = torch.aminmax(scores)
        if max(-float(least), float(most)) <= exponent:
            weights = scores.exp_()
            return (weights @ value).div_(weights.sum(dim=-1, keepdim=True))
    return torch.softmax(scores, dim=-1) @ value


@torch.jit.unused
def _attend_varlen(query: Tensor, key: Tensor, value: Tensor, packing: Packing, firsts_alone: bool) -> Tensor:
    out = varlen_attn(
        query,
        key,
        value,
        packing.counts if firsts_alone else packing.ends,
        packing.ends,
        1 if firsts_alone else packing.longest,
        packing.longest,
        scale=1.0,
    )
    return cast(Tensor, out).reshape(len(query), -1)


def varlen_available(dtype: torch.dtype, device: torch.device, head_dim: int) -> bool:
    """Whether torch's variable-length attention runs there: fp16 and bf16, Ampere or newer.

    Its kernel takes heads of a multiple of 8 numbers, up to 256.
    """
    if device.type != "cuda" or dtype not in (torch.float16, torch.bfloat16):
        return False
    if head_dim % 8 or head_dim > _MOST_HEAD_DIM:
        return False
    return torch.cuda.get_device_capability(device) >= (8, 0)
