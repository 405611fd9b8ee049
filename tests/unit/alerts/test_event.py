"""An alert comes back from its event as it was, and says in a sentence what happened."""

import json
from dataclasses import replace

import pytest

from nifos_stream.alerts.event import left_out_of, of_event, read_event, to_event
from nifos_stream.alerts.gaps import Gap
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


@pytest.mark.parametrize(
    ("minutes", "said"), [(45, "45 min"), (60, "1 h"), (90, "90 min"), (2877, "47 h 57 min"), (2880, "48 h")]
)
def test_one_that_was_open_while_nobody_could_look_says_so(minutes, said):
    left_out = left_out_of(Gap(AT + 120, AT + 600, 1), SEOUL)
    ended = alert(usual=21.0, ratio=3.0, ended_at=AT + 60 * minutes, **left_out)
    event = to_event(ended, "surge", SEOUL)
    assert event.summary.endswith(f" Over after {said}, of which 1 min could not be looked at.")
    assert of_event(event) == ended
    assert "looked" not in to_event(replace(ended, ended_at=None), "surge", SEOUL).summary


READABLE = json.loads(to_event(alert(usual=21.0, ratio=3.0), "surge", SEOUL).model_dump_json())
EVIDENCE = READABLE["evidence"]


@pytest.mark.parametrize("ended_at", [None, AT + 600])
@pytest.mark.parametrize(
    ("kind", "evidence"),
    [
        ("surge", {"usual": 21.0, "ratio": 3.0}),
        ("threshold", {"number": 63.0, "line": 40.0}),
        ("silence", {}),
    ],
)
def test_what_was_published_can_be_read(kind, evidence, ended_at):
    event = to_event(alert(ended_at=ended_at, **evidence, posts=[{"text": "숲"}]), kind, SEOUL)
    assert read_event(event.model_dump_json().encode()) == event


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"evidence": {}}, "KeyError"),
        ({"evidence": {name: EVIDENCE[name] for name in ("from", "count", "usual", "ratio")}}, "KeyError"),
        ({"evidence": EVIDENCE | {"from": "yesterday"}}, "ValueError"),
        ({"evidence": EVIDENCE | {"from": 5}}, "TypeError"),
        ({"evidence": EVIDENCE | {"left_out": "long"}}, "TypeError"),
        ({"evidence": EVIDENCE | {"left_out": {"from": AT}}}, "KeyError"),
        ({"evidence": EVIDENCE | {"left_out": {"minutes": "many"}}}, "ValueError"),
        ({"evidence": EVIDENCE | {"to": None}}, "TypeError"),
        ({"evidence": EVIDENCE | {"count": 3}}, "TypeError"),
        ({"evidence": EVIDENCE | {"count": {}}}, "KeyError"),
        ({"evidence": EVIDENCE | {"usual": "often"}}, "ValueError"),
        ({"kind": "threshold"}, "KeyError"),
        ({"metric": "likes"}, "KeyError"),
        ({"id": "another"}, "Its id"),
        ({"value": "instagram"}, "Its id"),
        ({"kind": "feeling"}, "It is no alert"),
        ({"started_at": "2026-05-01"}, "It is no alert"),
        (
            {"started_at": "0001-01-01T00:00:00+14:00", "evidence": EVIDENCE},
            "OverflowError|ValueError|Its id",
        ),
    ],
)
def test_what_somebody_else_wrote_is_told_by_one_kind_of_error(changes, why):
    with pytest.raises(ValueError, match=why):
        read_event(json.dumps(READABLE | changes).encode())


@pytest.mark.parametrize("record", [None, b"", b"no JSON", b"\xff", b"[]", b"{}", b'"text"'])
def test_what_is_no_json_of_an_alert_is_told_alike(record):
    with pytest.raises(ValueError, match="It is no alert"):
        read_event(record)
