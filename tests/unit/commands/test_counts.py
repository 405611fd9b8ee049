"""Answers of the counts for people and programs, without Redis."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from nifos_stream.commands.counts import Question, answer_json, ask, shown
from nifos_stream.counters.shapes import Count
from nifos_stream.errors import UserError
from tests.unit.watch.made_counts import SEOUL, MadeCounts


def test_the_total_as_json_has_these_keys_and_no_others():
    answer = answer_json(ask(MadeCounts(), Question(total=True)))
    assert answer == {
        "negative": 48_123,
        "neutral": 9_480,
        "positive": 81_002,
        "total": 138_605,
        "behind": 0,
        "behind_seconds": 1.23,
        "counted_since": "2026-04-01T08:00:00+09:00",
    }


def test_a_window_as_json_states_what_was_asked():
    answer = json.loads(json.dumps(answer_json(ask(MadeCounts(), Question(by="source")))))
    assert answer["from"] == "2026-05-01T08:30:00+09:00"
    assert answer["to"] == "2026-05-01T09:30:00+09:00"
    assert (answer["grain"], answer["step"], answer["by"]) == ("10s", "1m", "source")
    assert len(answer["series"]) == 60
    assert sum(point["total"] for point in answer["series"]) == answer["total"]["total"]
    assert set(answer["groups"]["naver_blog"]) == {
        "negative",
        "neutral",
        "positive",
        "total",
        "net_sentiment",
    }
    assert (answer["behind"], answer["behind_seconds"], answer["backlog"]) == (0, 1.23, 312)


def test_a_question_is_handed_on():
    counts = MadeCounts()
    ask(counts, Question(window="5m", by="source", where=["keyword=산불"]))
    assert counts.asked == [("5m", "source", (("keyword", "산불"),), None)]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (Question(total=True, window="1h"), "--total is of all time"),
        (Question(total=True, start="2026-05-01"), "--total is of all time"),
        (Question(window="1h", start="2026-05-01"), "not both --window and --from"),
        (Question(where=["산불"]), "`where` is DIMENSION=VALUE, such as keyword=산불, not '산불'"),
    ],
)
def test_a_question_that_contradicts_itself_is_refused(question, sentence):
    with pytest.raises(UserError, match=sentence):
        ask(MadeCounts(), question)


@pytest.mark.parametrize("cells", [60, 80, 120])
def test_a_table_says_shares_net_and_freshness(cells):
    question = Question(by="keyword", where=["source=twitter"])
    lines = shown(ask(MadeCounts(), question), question, cells)
    text = "\n".join(line.plain for line in lines)
    assert text.startswith("2026-05-01 08:30:00 to 2026-05-01 09:30:00 KST where source=twitter")
    for part in ("posts   − 부정", "net ", "by keyword", "산불", "posts by 1m"):
        assert part in text
    assert "Counts are 1.2 s behind. 312 posts wait to be labelled. Counted since 2026-04-01 08:00." in text


def test_a_grain_that_was_asked_for_is_a_row_for_each_step():
    question = Question(grain="1m")
    answer = ask(MadeCounts(), question)
    text = "\n".join(line.plain for line in shown(answer, question, 80))
    assert answer.series
    for point in answer.series:
        assert f"{point.start:%Y-%m-%d %H:%M} " in text


@pytest.mark.parametrize(
    ("question", "grain", "is_said"),
    [
        (Question(start="2026-05-01", end="2026-05-15", grain="month"), "month", True),
        (Question(start="2026-05-01", end="2026-06-01", grain="month"), "month", False),
        (Question(start="2026-05-01T09:30:00+09:00"), "month", True),
        (Question(window="1h", grain="month"), "month", True),
        (Question(window="31d", grain="month"), "month", False),
        (Question(window="1h", grain="1h"), "1h", False),
        (Question(window="1h"), "1d", False),
    ],
)
def test_a_window_that_was_widened_says_so(question, grain, is_said):
    first = dt.datetime(2026, 5, 1, tzinfo=SEOUL)
    answer = MadeCounts().window(start=first, end=first.replace(month=6), grain=grain)
    text = "\n".join(line.plain for line in shown(answer, question, 80))
    assert ("Widened to whole months: a window is rounded outward." in text) is is_said


def test_without_steps_there_are_no_rows_of_steps():
    question = Question(by="source", grain="none")
    text = "\n".join(line.plain for line in shown(ask(MadeCounts(), question), question, 80))
    assert "by source" in text
    assert "by none" not in text


def test_what_had_no_place_is_a_row_only_where_it_is_known_whose_it_is():
    """Under a filter it is counted for all pairs together, and could be more than there are posts."""
    for where, has_row in (((), True), (("source=twitter",), False)):
        question = Question(by="keyword", where=where)
        answer = replace(ask(MadeCounts(), question), other=Count(7, 8, 9))
        text = "\n".join(line.plain for line in shown(answer, question, 80))
        assert ("(other)      " in text) is has_row
        assert "had no place of their own: the rows above are lower bounds." in text


def test_all_time_without_posts_says_so():
    lines = shown(ask(MadeCounts(scale=0), Question(total=True)), Question(total=True), 80)
    assert [line.plain for line in lines[:2]] == ["All time", "No posts."]
