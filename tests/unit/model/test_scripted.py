import pytest
import torch
from torch import nn

from nifos_stream.model import electra
from nifos_stream.model.electra import PackedElectra
from nifos_stream.model.scripted import scripted
from tests.models import make_module
from tests.unit.model.test_electra import random_ids

CPU = torch.device("cpu")


class Doubled(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = 2

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows * self.factor


def test_a_script_computes_what_its_module_does_and_warns_nobody():
    script = scripted(Doubled())
    assert isinstance(script, torch.jit.ScriptModule)
    assert script(torch.ones(3)).tolist() == [2.0] * 3


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp16", "int8"])
def test_a_pass_on_a_cpu_is_one_script_and_gives_the_same_numbers(monkeypatch, dtype):
    module = make_module(50, layers=3, hidden=32, embedding=16)
    lengths = [3, 3, 7, 15, 16, 60]
    run = PackedElectra(module, dtype=dtype, device=CPU)
    assert isinstance(run._run, torch.jit.ScriptModule)
    monkeypatch.setattr(electra, "scripted", lambda body: body)
    plain = PackedElectra(module, dtype=dtype, device=CPU)
    for _ in range(3):
        torch.testing.assert_close(
            run(random_ids(lengths), lengths), plain(random_ids(lengths), lengths), atol=0, rtol=0
        )
