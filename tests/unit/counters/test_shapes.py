import pytest

from nifos_stream.counters.shapes import Count
from nifos_stream.messages import Label


def test_net_sentiment_is_the_balance_of_both_ends():
    assert Count(negative=1, neutral=2, positive=5).net_sentiment == 0.5
    assert Count().net_sentiment is None


def test_shares_of_nothing_are_nothing():
    assert Count(1, 2, 5).share("negative") == Count(1, 2, 5).share(Label.NEGATIVE) == 0.125
    assert Count().share(Label.NEUTRAL) == 0
    with pytest.raises(ValueError, match="angry"):
        Count().share("angry")


def test_counts_add_up():
    assert Count(1, 2, 3) + Count(10, 20, 30) == Count(11, 22, 33)
    assert (Count(1, 2, 3) + Count()).total == 6
