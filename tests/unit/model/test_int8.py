import pytest
import torch
from torch.nn import functional

from nifos_stream.model.int8 import Int8Linear

ROWS, WEIGHT, BIAS = (
    torch.randn(size, generator=torch.Generator().manual_seed(0)) for size in ((9, 96), (40, 96), (40,))
)


def error(got, expected):
    return float((got - expected).abs().max() / expected.abs().max())


def test_a_product_is_right_to_two_digits():
    assert error(Int8Linear(WEIGHT, BIAS)(ROWS), functional.linear(ROWS, WEIGHT, BIAS)) < 0.02


def test_gelu_comes_last():
    expected = functional.gelu(functional.linear(ROWS, WEIGHT, BIAS))
    assert error(Int8Linear(WEIGHT, BIAS, gelu=True)(ROWS), expected) < 0.02


def test_the_residual_is_added():
    residual = torch.full((9, 40), 5.0)
    expected = functional.linear(ROWS, WEIGHT, BIAS) + residual
    assert error(Int8Linear(WEIGHT, BIAS)(ROWS, residual), expected) < 0.02


def test_rows_out_of_gelu_use_the_whole_range():
    rows, copy = functional.gelu(4 * ROWS), torch.eye(96)
    whole = error(Int8Linear(copy, torch.zeros(96), after_gelu=True)(rows), rows)
    half = error(Int8Linear(copy, torch.zeros(96))(rows), rows)
    assert whole < 0.6 * half


def test_a_row_is_what_it_is_whatever_stands_beside_it():
    """Activations are quantised per row, so a neighbour a thousand times as large changes nothing."""
    layer = Int8Linear(WEIGHT, BIAS)
    alone = layer(ROWS[:1])
    beside = layer(torch.cat([ROWS[:1], 1000 * ROWS[1:]]))[:1]
    torch.testing.assert_close(alone, beside, atol=1e-6, rtol=0)


@pytest.mark.parametrize("after_gelu", [False, True])
def test_rows_of_zeros_give_the_bias(after_gelu):
    out = Int8Linear(WEIGHT, BIAS, after_gelu=after_gelu)(torch.zeros(2, 96))
    torch.testing.assert_close(out, BIAS.expand(2, -1), atol=0.02, rtol=0)


@pytest.mark.parametrize("after_gelu", [False, True])
def test_a_row_that_is_no_number_stays_none(after_gelu):
    rows = ROWS.clone()
    rows[3, 7] = torch.nan
    out = Int8Linear(WEIGHT, BIAS, after_gelu=after_gelu)(rows)
    assert out[3].isnan().all()
    assert out[[0, 1, 2, 4]].isfinite().all()


def test_weights_whose_products_could_saturate_are_kept_smaller(monkeypatch):
    monkeypatch.setattr("nifos_stream.model.int8._adds_exactly", lambda: False)
    assert error(Int8Linear(WEIGHT, BIAS)(ROWS), functional.linear(ROWS, WEIGHT, BIAS)) < 0.03
