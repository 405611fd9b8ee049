import pytest

from nifos_stream.training import lengths


def test_the_shortest_length_that_covers_the_share_is_found():
    found = lengths.measure([3] * 90 + [10] * 6 + [50] * 4, 0.96)
    assert (found.chosen, found.kept, found.cut) == (10, 96, 4)
    assert (found.shortest, found.longest, found.median, found.texts) == (3, 50, 3, 100)
    assert found.mean == pytest.approx(5.3)
    assert found.coverage == pytest.approx(0.96)


def test_the_share_holds_for_any_number_of_texts():
    for texts in range(1, 200):
        found = lengths.measure(range(1, texts + 1), 0.96)
        assert found.kept / texts >= 0.96 - 1e-9
        assert (found.kept - 1) / texts < 0.96


def test_padding_is_the_share_of_places_that_hold_no_token():
    found = lengths.measure([5, 10, 20], 1.0)
    assert found.padding == pytest.approx(1 - 35 / 60)
    cut = lengths.measure([5, 10, 20], 0.6)
    assert cut.chosen == 10
    assert cut.padding == pytest.approx(1 - 25 / 30)


@pytest.mark.parametrize(("given", "coverage"), [([], 0.9), ([1], 0.0), ([1], 1.1)])
def test_no_texts_or_no_share_is_an_error(given: list[int], coverage: float):
    with pytest.raises(ValueError, match="coverage"):
        lengths.measure(given, coverage)
