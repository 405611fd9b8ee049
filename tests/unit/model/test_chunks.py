import pytest
from hypothesis import given
from hypothesis import strategies as st

from nifos_stream.model.chunks import halves, plan


@given(st.lists(st.integers(3, 60), max_size=200), st.integers(10, 600), st.integers(1, 4))
def test_every_text_is_in_one_chunk_of_at_most_the_budget(lengths, budget, lanes):
    chunks = plan(lengths, budget, lanes)
    assert sorted(i for chunk in chunks for i in chunk) == list(range(len(lengths)))
    for chunk in chunks:
        assert sum(lengths[i] for i in chunk) <= budget or len(chunk) == 1


@given(st.lists(st.integers(3, 60), min_size=1, max_size=200), st.integers(60, 600))
def test_equal_lengths_stand_together(lengths, budget):
    order = [lengths[i] for chunk in plan(lengths, budget) for i in chunk]
    assert order == sorted(lengths, reverse=True)


def test_chunks_are_about_equal_and_a_multiple_of_the_lanes():
    lengths = [20] * 130
    sizes = [len(chunk) for chunk in plan(lengths, 1000, lanes=4)]
    assert len(sizes) == 4
    assert max(sizes) - min(sizes) <= 1


def test_a_few_texts_are_spread_over_the_lanes():
    assert [len(chunk) for chunk in plan([10, 10, 10, 10], 1000, lanes=2)] == [2, 2]
    assert plan([10], 1000, lanes=2) == [[0]]


def test_no_texts_are_no_chunks():
    assert plan([], 512) == []


@pytest.mark.parametrize("texts", [2, 3, 8])
def test_halves_lose_nothing(texts):
    first, second = halves(list(range(texts)))
    assert first + second == list(range(texts))
    assert first
    assert second
