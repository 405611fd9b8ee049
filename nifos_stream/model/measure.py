"""How fast this machine multiplies matrices, and how much of that a forward pass asks for. Knows no texts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from transformers import ElectraConfig

from nifos_stream.model.linear import Linear, make_linear, rows_dtype

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


class Products:
    """The products of a packed forward pass and nothing else: no pass can be faster than they are.

    One layer's weights stand for all layers. Every product runs in the kernel that the forward pass uses; an
    int8 product takes and gives floats, so quantising its rows belongs to it.
    """

    @torch.no_grad()
    def __init__(self, config: ElectraConfig, *, dtype: str, device: torch.device, rows: int) -> None:
        """rows: most tokens of one chunk."""
        hidden, inner, embedding = config.hidden_size, config.intermediate_size, config.embedding_size
        self._layers = config.num_hidden_layers
        self._rows = {
            wide: torch.randn(rows, wide).to(device, rows_dtype(dtype)) for wide in (hidden, inner, embedding)
        }

        def product(wide: int, tall: int) -> tuple[int, Linear]:
            return wide, make_linear(torch.randn(tall, wide), torch.randn(tall), dtype=dtype, device=device)

        self._before = [product(embedding, hidden)] if embedding != hidden else []
        self._query, self._inputs = product(hidden, hidden), product(hidden, 3 * hidden)
        self._pairs = product(hidden, 2 * hidden)
        self._behind = [product(hidden, hidden), product(hidden, inner), product(inner, hidden)]

    @torch.inference_mode()
    def __call__(self, rows: int, texts: int) -> None:
        """Multiply as a pass over a chunk of so many rows and texts does."""
        for wide, linear in self._before + [self._inputs, *self._behind] * (self._layers - 1):
            linear(self._rows[wide][:rows])
        wide, linear = self._pairs
        linear(self._rows[wide][:rows])
        for wide, linear in [self._query, *self._behind]:
            linear(self._rows[wide][:texts])


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
            seconds[name].append(timed(run, device, now))
    return {name: times[1:] for name, times in seconds.items()}


def timed(run: Callable[[], Any], device: torch.device, now: Clock) -> float:
    """Return the seconds until the device is done with it."""
    _wait_for(device)
    begin = now()
    run()
    _wait_for(device)
    return now() - begin


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
