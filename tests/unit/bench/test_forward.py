"""What a forward pass is held against: the fastest products of its dtype, in whatever chunks they ran."""

from nifos_stream.bench.forward import Case, Timed, limits


def timed(dtype, chunk_tokens, lanes, *, forward, products, texts=100):
    case = Case(dtype, chunk_tokens, lanes, texts, bare=None)
    return Timed(case, forward, products)


def test_the_limit_is_the_fastest_products_over_chunk_sizes_and_ways():
    found = [
        timed("fp32", 256, 2, forward=[4.0, 5.0, 6.0], products=[4.0, 4.0, 9.0]),
        timed("fp32", 512, 2, forward=[6.0], products=[3.0]),
        timed("fp32", 512, 0, forward=(), products=[2.0]),
        timed("fp32", 256, 1, forward=[5.0], products=[5.0], texts=50),
        timed("bf16", 512, 2, forward=[40.0], products=[50.0]),
    ]
    best = limits(found)
    assert {dtype: (one.case.chunk_tokens, one.case.lanes) for dtype, one in best.items()} == {
        "fp32": (512, 0),
        "bf16": (512, 2),
    }
    assert best["fp32"].products_rate == 50.0
    assert found[0].rate == 20.0
