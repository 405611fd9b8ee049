import numpy as np
import pytest
import torch

from nifos_stream.errors import UserError
from nifos_stream.model import electra
from nifos_stream.model.electra import PackedElectra
from nifos_stream.model.linear import make_linear
from tests.models import make_module

SHAPES = [
    {"layers": 1, "hidden": 8},
    {"layers": 2, "hidden": 32, "embedding": 16},
    {"layers": 3, "hidden": 48},
]
LENGTHS = [[3, 3, 3, 7, 12, 12, 64], [5], [2, 2], [1, 1, 1], [9, 4, 9, 4, 33]]
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def random_ids(lengths, vocabulary=50):
    return np.random.default_rng(0).integers(5, vocabulary, sum(lengths), dtype=np.int32)


def transformers_logits(module, ids, lengths):
    """One text at a time, so that nothing is padded there either."""
    texts = torch.from_numpy(ids).long().split(list(lengths))
    with torch.inference_mode():
        return torch.cat([module(input_ids=text[None]).logits for text in texts])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_packed_forward_agrees_with_transformers(shape, lengths, device):
    module = make_module(50, **shape)
    ids = random_ids(lengths)
    logits = PackedElectra(module, dtype="fp32", device=torch.device(device))(ids, lengths)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits.cpu(), transformers_logits(module, ids, lengths), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("device", "dtype"),
    [
        ("cpu", "bf16"),
        ("cpu", "fp16"),
        ("cpu", "int8"),
        pytest.param("cuda", "bf16", marks=pytest.mark.gpu),
        pytest.param("cuda", "fp16", marks=pytest.mark.gpu),
    ],
)
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_fewer_digits_stay_close_to_transformers(lengths, device, dtype):
    module = make_module(50, layers=2, hidden=32, embedding=16)
    ids = random_ids(lengths)
    logits = PackedElectra(module, dtype=dtype, device=torch.device(device))(ids, lengths)
    torch.testing.assert_close(logits.cpu(), transformers_logits(module, ids, lengths), atol=0.08, rtol=0.02)


def test_an_activation_that_is_not_gelu_is_one_sentence():
    module = make_module(50)
    module.config.hidden_act = "relu"
    with pytest.raises(UserError, match=r"relu.*gelu"):
        PackedElectra(module, dtype="fp32", device=torch.device("cpu"))


def test_a_text_reads_the_same_whoever_stands_beside_it():
    module = make_module(50, layers=2, hidden=32)
    run = PackedElectra(module, dtype="fp32", device=torch.device("cpu"))
    ids = random_ids([6, 6, 20])
    together = run(ids, [6, 6, 20])
    torch.testing.assert_close(run(ids[12:], [20]), together[2:], atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "int8"])
def test_products_on_a_cpu_have_few_numbers_of_rows(monkeypatch, dtype):
    seen = set()

    def noting(*args, **options):
        layer = make_linear(*args, **options)

        def run(rows, *residual):
            seen.add(len(rows))
            return layer(rows, *residual)

        return run

    monkeypatch.setattr(electra, "make_linear", noting)
    monkeypatch.setattr(electra, "scripted", lambda body: body)
    run = PackedElectra(make_module(50, layers=2, hidden=32), dtype=dtype, device=torch.device("cpu"))
    for texts in range(1, 9):
        for length in range(2, 10):
            assert len(run(random_ids([length] * texts), [length] * texts)) == texts
    assert seen == {8, 16, 24, 32, 40, 48, 56, 64, 72}
