import pytest

from nifos_stream.bench.figures import alternate, percentile, ratio, spread, too_short


def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed():
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2.0


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_there_is_no_percentile_of_nothing(values, share):
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, share)


def test_contestants_measure_themselves_in_turn():
    order, told = [], []
    found = alternate(
        {name: lambda name=name: order.append(name) or len(order) for name in "ab"}, 2, told.append
    )
    assert order == ["a", "b", "a", "b"]
    assert found == {"a": [1, 3], "b": [2, 4]}
    assert told == ["round 1 of 2", "round 2 of 2"]


def test_a_ratio_has_three_digits_and_a_spread_names_both_ends():
    assert ratio(2.0, 3.0) == 0.667
    assert spread([90.0, 100.0, 120.0]) == "-10% +20%"
    assert spread([90.0]) == "one round"


def test_a_round_that_is_soon_over_says_so():
    assert too_short(0.31, "--messages") == (
        "Too short: a round took 0.3 s, so chance decides. Give more --messages.",
    )
    assert too_short(2.0, "--messages") == ()
