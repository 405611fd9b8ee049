"""Which arithmetic a training uses here. Knows no model."""

import time
from collections.abc import Callable
from typing import Literal

import torch

from nifos_stream.errors import UserError
from nifos_stream.training.recipe import Precision

# Products of this shape are most of what a training of KoELECTRA-base computes.
_ROWS, _IN, _OUT = 512, 768, 1536
_LEAST_ROUNDS = 3
_LOOK_SECONDS = 0.5
# bf16 also rounds; it must win by more than what noise could bring.
WORTH_IT = 1.2


def device_named(name: str) -> torch.device:
    """Return the device of `auto`, `cpu` or `cuda`; UserError when it is not there."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise UserError("There is no CUDA device here, or torch was built without CUDA; train on cpu.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def chosen(
    said: Literal["auto", "fp32", "bf16"],
    device: torch.device,
    now: Callable[[], float] = time.perf_counter,
) -> Precision:
    """Return what was said, or for `auto` bf16 where this device has it and is faster with it."""
    if said != "auto":
        return said
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    seconds = _seconds(now)
    return "bf16" if seconds[torch.bfloat16] * WORTH_IT < seconds[torch.float32] else "fp32"


def _seconds(now: Callable[[], float]) -> dict[torch.dtype, float]:
    """Return the seconds of one product by dtype, the best of many in turn: others may be busy."""
    products = {
        dtype: (torch.ones(_ROWS, _IN, dtype=dtype), torch.ones(_OUT, _IN, dtype=dtype))
        for dtype in (torch.bfloat16, torch.float32)
    }
    best = dict.fromkeys(products, float("inf"))
    rounds, spent = 0, 0.0
    with torch.inference_mode():
        while rounds < _LEAST_ROUNDS or spent < _LOOK_SECONDS:
            for dtype, (rows, weight) in products.items():
                began = now()
                torch.nn.functional.linear(rows, weight)
                took = now() - began
                best[dtype] = min(best[dtype], took)
                spent += took
            rounds += 1
    return best
