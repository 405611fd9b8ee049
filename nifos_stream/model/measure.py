"""How fast this machine multiplies matrices, and how much of that a forward pass asks for. Knows no texts."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import torch
from transformers import ElectraConfig

from nifos_stream.model.lanes import Lanes
from nifos_stream.model.linear import make_linear, rows_dtype

Clock = Callable[[], float]
Key = TypeVar("Key")


def operations(config: ElectraConfig, lengths: Sequence[int]) -> float:
    """Count the floating-point operations of the products in one packed forward pass.

    A multiplication and an addition are two. Attention and all else that is no product with weights is left
    out; in the last layer, first rows alone are counted where they alone are computed.
    """
    rows, texts = sum(lengths), len(lengths)
    hidden, inner = config.hidden_size, config.intermediate_size
    layer = 4 * hidden * hidden + 2 * hidden * inner
    projection = config.embedding_size * hidden if config.embedding_size != hidden else 0
    last = 2 * hidden * hidden
    each = (layer - last) * texts
    return 2.0 * (rows * (projection + (config.num_hidden_layers - 1) * layer + last) + each)


def product_rate(
    config: ElectraConfig,
    *,
    dtype: str,
    device: torch.device,
    lanes: Lanes | None,
    rows: int,
    rounds: int = 5,
    now: Clock = time.perf_counter,
) -> float:
    """Measure the products of one layer alone, in operations per second: the limit of any forward pass.

    rows: of one product, as a chunk has them. Each product is run `rounds` times by the kernel that the
    forward pass uses, in all lanes at once, and its best time counts. An int8 product takes and gives
    floats, so quantising its rows belongs to it.
    """
    hidden, inner = config.hidden_size, config.intermediate_size
    products = []
    for wide, tall in ((hidden, 3 * hidden), (hidden, hidden), (hidden, inner), (inner, hidden)):
        linear = make_linear(torch.randn(tall, wide), torch.randn(tall), dtype=dtype, device=device)
        products.append(partial(linear, torch.randn(rows, wide).to(device, rows_dtype(dtype))))

    def seconds(_lane: int) -> float:
        return sum(map(min, race(dict(enumerate(products)), device, rounds, now).values()))

    each = lanes.map(seconds, range(lanes.count)) if lanes else [seconds(0)]
    counted = 2.0 * rows * (4 * hidden * hidden + 2 * hidden * inner)
    return sum(counted / took for took in each)


@torch.inference_mode()
def race(
    contestants: Mapping[Key, Callable[[], Any]], device: torch.device, rounds: int, now: Clock
) -> dict[Key, list[float]]:
    """Time each contestant once a round, in turn, so that whatever disturbs disturbs all.

    Returns the seconds of every round but the first, which warms up.
    """
    seconds: dict[Key, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds + 1):
        for name, run in contestants.items():
            _wait_for(device)
            begin = now()
            run()
            _wait_for(device)
            seconds[name].append(now() - begin)
    return {name: times[1:] for name, times in seconds.items()}


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
