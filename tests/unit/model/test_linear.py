import pytest
import torch
from torch.nn import functional

from nifos_stream.model.linear import OneDnnLinear, PlainLinear, make_linear, rows_dtype

CPU = torch.device("cpu")
WEIGHT, BIAS = torch.randn(24, 16), torch.randn(24)


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp16", "int8"])
@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("rows", [1, 7])
def test_every_dtype_multiplies_on_the_cpu(dtype, gelu, rows):
    given = torch.randn(rows, 16)
    layer = make_linear(WEIGHT, BIAS, dtype=dtype, device=CPU, gelu=gelu)
    expected = functional.linear(given, WEIGHT, BIAS)
    expected = functional.gelu(expected) if gelu else expected
    got = layer(given.to(rows_dtype(dtype)))
    assert got.dtype == rows_dtype(dtype)
    torch.testing.assert_close(got.float(), expected, atol=0.15, rtol=0.05)


@pytest.mark.parametrize("kind", [PlainLinear, OneDnnLinear])
def test_a_residual_is_added_and_left_alone(kind):
    given, residual = torch.randn(5, 16), torch.randn(5, 24)
    before = residual.clone()
    got = kind(WEIGHT, BIAS)(given, residual)
    torch.testing.assert_close(got, functional.linear(given, WEIGHT, BIAS) + before)
    torch.testing.assert_close(residual, before, atol=0, rtol=0)


def test_a_cpu_without_bf16_products_still_gets_them_from_torch(monkeypatch):
    monkeypatch.setattr("nifos_stream.model.linear._onednn_takes", lambda _: False)
    assert isinstance(make_linear(WEIGHT, BIAS, dtype="bf16", device=CPU), PlainLinear)


def test_int8_is_for_cpus_only():
    with pytest.raises(ValueError, match="no int8 product on cuda"):
        make_linear(WEIGHT, BIAS, dtype="int8", device=torch.device("cuda"))
