import datetime as dt
import json

import pytest

from nifos_stream.messages import Label
from nifos_stream.model.reading import Reading
from nifos_stream.shadow.comparison import Compared, Comparison, Tally

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
POSITIVE, NEGATIVE = Reading((0.1, 0.2, 0.7), 5), Reading((0.7, 0.2, 0.1), 5)


def compared(numbers):
    return Comparison(Compared("a", "1"), Compared("b", "2"), NOW, NOW, numbers)


def test_texts_with_the_same_label_agree_and_the_others_are_a_shift():
    tally = Tally()
    for first, shadow in (
        (POSITIVE, POSITIVE),
        (POSITIVE, NEGATIVE),
        (POSITIVE, POSITIVE),
        (NEGATIVE, NEGATIVE),
    ):
        tally.compare(first, shadow)
    found = compared(tally.take())
    assert (found.texts, found.agreement) == (4, 0.75)
    assert found.said(Label.POSITIVE, Label.NEGATIVE) == 1
    assert found.said(Label.NEGATIVE, Label.POSITIVE) == 0
    assert found.mean_difference == pytest.approx((0.6 + 0 + 0.6) / 3 / 4)
    assert found.mean_change(Label.NEGATIVE) == pytest.approx(0.6 / 4)
    assert found.mean_change(Label.POSITIVE) == pytest.approx(-0.6 / 4)


def test_cost_is_seconds_per_text_against_the_first_model():
    tally = Tally()
    tally.took("first", 1000, 2.0)
    tally.took("shadow", 100, 0.3)
    tally.took("shadow", 100, 0.3)
    found = compared(tally.take())
    assert found.seconds_per_text("first") == 0.002
    assert found.cost == pytest.approx(1.5)


def test_what_was_taken_is_taken_once():
    tally = Tally()
    tally.add({"dropped": 2})
    assert tally.take() == {"dropped": 2}
    assert tally.take() == {}


def test_of_nothing_nothing_can_be_said():
    found = compared({"dropped": 7.0})
    assert (found.agreement, found.mean_difference, found.cost) == (None, None, None)
    said = json.loads(json.dumps(found.as_dict()))
    assert (said["texts"], said["dropped"], said["agreement"]) == (0, 7, None)
    assert said["shift"]["negative"] == {"negative": 0, "neutral": 0, "positive": 0}
