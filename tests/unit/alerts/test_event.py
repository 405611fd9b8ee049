"""An alert comes back from its event as it was, and says in a sentence what happened."""

import pytest

from nifos_stream.alerts.event import of_event, to_event
from nifos_stream.alerts.machine import Alert, Subject
from nifos_stream.messages import AlertEvent
from tests.unit.alerts.made import SEOUL

AT = 1_777_595_400
COUNT = {"negative": 63, "neutral": 20, "positive": 17, "total": 100}
WINDOW = {"from": AT - 300, "to": AT, "count": COUNT}


def alert(metric="negative", dimension="source", value="a:b", ended_at=None, **evidence):
    return Alert(Subject("rule", dimension, value), metric, AT, ended_at, WINDOW | evidence)


@pytest.mark.parametrize("value", ["twitter", "네이버 카페", "a:b*c", "\\"])
def test_nothing_is_lost_on_the_way(value):
    made = alert(value=value, ended_at=AT + 600, usual=21.0, ratio=3.0)
    event = AlertEvent.model_validate_json(to_event(made, "surge", SEOUL).model_dump_json())
    assert of_event(event) == made
    assert event.id == made.id
    assert of_event(to_event(alert(dimension="all", value="", usual=1.0, ratio=2.0), "surge", SEOUL)).id


@pytest.mark.parametrize(
    ("kind", "made", "said"),
    [
        ("surge", alert(usual=21.0, ratio=3.0), "63 negative posts in 5 min, usually 21.0 (3.0 times)"),
        (
            "surge",
            alert("negative_share", usual=0.3),
            "the negative share is 63% in 5 min (63 of 100 posts), usually 30%",
        ),
        (
            "threshold",
            alert("negative_share", number=0.63, line=0.4),
            "the negative share is 63.0% over 5 min, above 40%",
        ),
        ("threshold", alert("posts", number=100.0, line=120.0), "100 posts in 5 min, below 120"),
        ("silence", alert("posts", usual=25.2), "no post for 5 min, usually 25"),
        ("silence", alert("posts"), "no post for 5 min"),
    ],
)
def test_each_kind_has_its_sentence(kind, made, said):
    assert to_event(made, kind, SEOUL).summary == f"Source a:b: {said}."


def test_one_that_is_over_says_how_long_it_was():
    said = to_event(alert(usual=21.0, ratio=3.0, ended_at=AT + 7200), "surge", SEOUL).summary
    assert said.endswith(" Over after 2 h.")
