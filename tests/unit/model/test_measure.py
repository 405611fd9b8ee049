import itertools

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nifos_stream.model import measure
from nifos_stream.model.measure import Products, operations, race
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
@pytest.mark.parametrize("embedding", [8, 16])
def test_the_limit_multiplies_what_the_operations_count(monkeypatch, dtype, embedding):
    config = make_module(50, layers=3, hidden=16, embedding=embedding).config
    done = 0

    def counting(weight, _bias, **_):
        def multiply(rows):
            nonlocal done
            done += 2 * len(rows) * weight.numel()
            assert rows.shape[1] == weight.shape[1]

        return multiply

    monkeypatch.setattr(measure, "make_linear", counting)
    Products(config, dtype=dtype, device=CPU, rows=12)(12, 3)
    assert done == operations(config, [3, 4, 5])


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "int8"])
def test_the_limit_runs_in_every_dtype(dtype):
    config = make_module(50, layers=2, hidden=16, embedding=8).config
    Products(config, dtype=dtype, device=CPU, rows=12)(11, 3)
