import pytest
import torch
from torch.nn import functional

from nifos_stream.model.attention import attend, few, pack, varlen_available

CPU = torch.device("cpu")


def one_by_one(query, key, value, lengths, rows):
    parts = zip(query.split(rows), key.split(lengths), value.split(lengths), strict=True)
    out = [
        functional.scaled_dot_product_attention(*(x.transpose(0, 1)[None] for x in each), scale=1.0)
        for each in parts
    ]
    return torch.cat([x[0].transpose(0, 1).flatten(1) for x in out])


@pytest.mark.parametrize("lengths", [[4, 4, 9], [1], [1, 1], [60, 3, 3, 60], [15, 16, 17]])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.03)])
@pytest.mark.parametrize("first_rows_only", [False, True])
def test_each_text_attends_to_itself_alone(lengths, dtype, tolerance, first_rows_only):
    key, value = torch.randn(2, sum(lengths), 3, 8).to(dtype)
    query = torch.randn(len(lengths) if first_rows_only else sum(lengths), 3, 8).to(dtype)
    got = attend(query, key, value, pack(lengths, CPU, varlen=False), firsts_alone=first_rows_only)
    rows = [1] * len(lengths) if first_rows_only else lengths
    expected = one_by_one(query.float(), key.float(), value.float(), lengths, rows)
    torch.testing.assert_close(got.float(), expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("factor", [1.0, 10.0, 1000.0])
def test_short_texts_take_scores_of_any_size(factor):
    """Their exponentials are taken as they are, as long as a float32 holds them."""
    key, value = torch.randn(2, 8, 3, 8)
    query = torch.randn(8, 3, 8) * factor
    got = attend(query, key, value, pack([5, 3], CPU, varlen=False))
    expected = one_by_one(query, key, value, [5, 3], [5, 3])
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_a_score_that_is_no_number_is_not_hidden():
    query, key, value = torch.randn(3, 4, 1, 8)
    query[1] = float("nan")
    got = attend(query, key, value, pack([4], CPU, varlen=False))
    assert got.isnan().all(dim=1).tolist() == [False, True, False, False]


def test_packing_knows_places_and_first_rows():
    packing = pack([2, 2, 3], CPU, varlen=False)
    assert packing.positions.tolist() == [0, 1, 0, 1, 0, 1, 2]
    assert packing.firsts.tolist() == [0, 2, 4]
    assert packing.ends.tolist() == [0, 2, 4, 7]
    assert list(packing.groups) == [(2, 2), (3, 1)]


def test_rows_of_no_text_follow_and_get_zeros():
    packing = pack([2, 3, 3, 3], CPU, varlen=False, rounded=True)
    assert packing.positions.tolist() == [0, 1, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0, 0, 0, 0]
    assert packing.firsts.tolist() == [0, 2, 5, 8, 0, 0, 0, 0]
    key, value = torch.randn(2, 16, 3, 8)
    query, firsts = torch.randn(16, 3, 8), torch.randn(8, 3, 8)
    assert attend(query, key, value, packing)[11:].abs().max() == 0
    assert attend(firsts, key, value, packing, firsts_alone=True)[4:].abs().max() == 0


def test_few_numbers_of_rows_stand_for_many_and_are_hardly_more():
    for rows in range(1, 5000):
        assert 0 <= few(rows) - rows < max(8, rows / 32)
    for most in (256, 512, 1024, 4096):
        assert len({few(rows) for rows in range(most, 2 * most)}) <= 33


def test_variable_length_attention_is_not_for_cpus_or_float32():
    assert not varlen_available(torch.bfloat16, CPU, 64)
    assert not varlen_available(torch.float32, torch.device("cuda"), 64)


@pytest.mark.parametrize(
    ("head_dim", "there"), [(8, True), (64, True), (256, True), (4, False), (36, False), (264, False)]
)
def test_variable_length_attention_is_for_heads_that_its_kernel_takes(monkeypatch, head_dim, there):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    assert varlen_available(torch.bfloat16, torch.device("cuda"), head_dim) is there


@pytest.mark.gpu
@pytest.mark.parametrize("first_rows_only", [False, True])
def test_variable_length_attention_agrees_on_a_gpu(first_rows_only):
    device, lengths = torch.device("cuda"), [4, 4, 9, 60]
    if not varlen_available(torch.bfloat16, device, 64):
        pytest.skip("this card has no variable-length attention")
    key, value = torch.randn(2, sum(lengths), 3, 64, device=device, dtype=torch.bfloat16)
    query = torch.randn(len(lengths) if first_rows_only else sum(lengths), 3, 64, device=device).bfloat16()
    got, expected = (
        attend(query, key, value, pack(lengths, device, varlen=kind), firsts_alone=first_rows_only)
        for kind in (True, False)
    )
    torch.testing.assert_close(got, expected, atol=0.03, rtol=0.03)
