import itertools

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import ElectraConfig

from nifos_stream.model.lanes import Lanes
from nifos_stream.model.measure import operations, product_rate, race
from tests.models import make_module

CPU = torch.device("cpu")


def test_operations_are_those_of_the_products():
    """Counted against torch's own count; of the last layer all but keys and values is for one row."""

    module = make_module(50, layers=3, hidden=16, embedding=8)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module(input_ids=torch.ones(1, 5, dtype=torch.long))
    whole = counter.get_flop_counts()["Global"][torch.ops.aten.addmm]
    config = module.config
    hidden, inner, head = config.hidden_size, config.intermediate_size, 16 * 16 + 16 * 3
    spared = 4 * (2 * hidden * hidden + 2 * hidden * inner)
    assert operations(config, [5]) == whole - 2 * head - 2 * spared


def test_contestants_take_turns():
    order = []
    ticks = itertools.count()
    seconds = race({name: lambda name=name: order.append(name) for name in "ab"}, CPU, 2, lambda: next(ticks))
    assert order == ["a", "b"] * 3
    assert seconds == {"a": [1, 1], "b": [1, 1]}


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "int8"])
def test_the_rate_of_all_lanes_is_their_sum(dtype):
    config = ElectraConfig(hidden_size=16, intermediate_size=32, num_attention_heads=2)
    rate = product_rate(config, dtype=dtype, device=CPU, lanes=Lanes(2), rows=8, rounds=1)
    assert 1e5 < rate < 1e15
