"""What a webhook is sent can be read by people, checked by programs, and does nothing in Slack."""

import hashlib
import hmac
import json

import pytest

from nifos_stream.alerts.message import body, headers, text
from tests.unit.alerts.made import made_alert


def test_the_text_says_what_happened_and_shows_posts():
    lines = text([made_alert(), made_alert(2, ended=True)]).splitlines()
    assert "63 negative posts in 5 min" in lines[0]
    assert lines[1] == "> 산불이 무섭다"
    assert lines[2].startswith(":white_check_mark: Over:")
    assert len(lines) == 3


def test_the_text_names_the_words_that_stand_out():
    drivers = {"posts": 63, "words": [{"word": "산불"}, {"word": "<!here>"}]}
    lines = text([made_alert(evidence={"drivers": drivers})]).splitlines()
    assert lines[1:] == ["Words that stand out: 산불, &lt;!here&gt;"]


@pytest.mark.parametrize("drivers", [None, 5, {}, {"words": 5}, {"words": ["text", {}, {"word": None}]}])
def test_words_that_somebody_else_wrote_are_no_reason_to_fail(drivers):
    assert len(text([made_alert(evidence={"drivers": drivers})]).splitlines()) == 1


def test_a_post_can_neither_mention_nor_link_nor_break_out():
    post = {"text": "<!channel> a&b\n<https://evil.example|here>"}
    line = text([made_alert(evidence={"posts": [post]})]).splitlines()[1]
    assert line == "> &lt;!channel&gt; a&amp;b &lt;https://evil.example|here&gt;"


@pytest.mark.parametrize("posts", [None, 5, "text", ["text", 5, None], {"text": "text"}])
def test_evidence_that_somebody_else_wrote_is_no_reason_to_fail(posts):
    assert len(text([made_alert(evidence={"posts": posts})]).splitlines()) == 1


def test_a_value_is_escaped_too():
    assert "<" not in text([made_alert(summary="Source <!here>: 5 posts.")])


def test_the_events_are_there_as_on_the_topic():
    alert = made_alert()
    assert json.loads(body([alert]))["alerts"] == [json.loads(alert.model_dump_json())]


def test_of_many_alerts_the_text_shows_some_and_counts_the_rest():
    said = text([made_alert(number, ended=True) for number in range(25)])
    assert said.endswith("… and 5 more.")


def test_the_signature_is_of_time_and_body():
    said = headers(b"body", "correct horse", "0:7", 1_777_595_400.9)
    digest = hmac.new(b"correct horse", b"1777595400.body", hashlib.sha256).hexdigest()
    assert said["X-Nifos-Timestamp"] == "1777595400"
    assert said["X-Nifos-Signature"] == f"v1={digest}"
    assert said["X-Nifos-Delivery"] == "0:7"
    assert "X-Nifos-Signature" not in headers(b"body", None, "0:7", 0)
