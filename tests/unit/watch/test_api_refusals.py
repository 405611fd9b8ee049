"""What the server refuses has a code and values, from which the page makes a sentence of its own."""

import pytest

from nifos_stream.counters.query import query
from nifos_stream.counters.reader import RedisAway
from nifos_stream.errors import Reason, Refusal, UserError
from nifos_stream.model import Unread
from nifos_stream.watch.api.app import MAX_TEXT_CHARACTERS
from nifos_stream.watch.shared import Shared
from tests.unit.watch.test_api import CLASSIFY, POSTS, SENTIMENT, TOKEN, Made, MadeModel, client
from tests.unit.watch.test_api_page import sentences_of

DRIVERS = "/api/v1/drivers"
KEPT_BY = {"dimension": "colour", "dimensions": ["source", "channel", "keyword"]}
NO_LABEL = {"label": "bad", "labels": ["negative", "neutral", "positive"]}


def refusal(answer):
    """Code and values of an answer, which are all that the page's sentence wants."""
    said = answer.json()
    assert set(said["values"]) == sentences_of("REFUSALS")[said["code"]]
    return said["code"], said["values"]


@pytest.mark.parametrize(
    ("route", "asked", "code", "values"),
    [
        (SENTIMENT, "window=1h&from=2026-05-01", "window_and_from", {}),
        (DRIVERS, "window=1h&from=2026-05-01", "window_and_from", {}),
        (SENTIMENT, "where=산불", "where_unreadable", {"where": "산불"}),
        (SENTIMENT, "where=source=a&where=source=b", "where_twice", {"dimension": ["source"]}),
        (POSTS, "where=colour=red", "not_kept_by", KEPT_BY),
        (POSTS, "label=bad", "label_unknown", NO_LABEL),
        (POSTS, "limit=0", "parameter_unreadable", {"parameters": ["limit"]}),
        (POSTS, "colour=red&limit=many", "parameter_unreadable", {"parameters": ["limit", "colour"]}),
        (SENTIMENT, "window=" + "1" * 17, "parameter_too_long", {"parameters": ["window"], "most": "16"}),
    ],
)  # fmt: skip
def test_a_question_that_is_none(route, asked, code, values):
    with client() as api:
        assert refusal(api.get(f"{route}?{asked}")) == (code, values)


def refused_by(counted, by, where):
    with pytest.raises(UserError) as refused:
        query(counted, by, where)
    return refused.value


@pytest.mark.parametrize(
    ("error", "status", "code", "values"),
    [
        (
            refused_by(("source", "channel"), None, {"source": "a", "channel": "b"}),
            400,
            "not_counted_together",
            {"dimensions": ["source", "channel"]},
        ),
        (refused_by(("source",), "channel", {}), 400, "not_counted", {"dimensions": ["channel"]}),
        (
            refused_by(("source",), "colour", {}),
            400,
            "dimension_unknown",
            {"dimension": "colour", "dimensions": ["source", "channel", "keyword", "revision"]},
        ),
        (
            refused_by(("source",), None, {"source": ""}),
            400,
            "where_without_value",
            {"dimension": ["source"]},
        ),
        (
            RedisAway("Away.", Refusal.REDIS_AWAY, address="redis://a", reason="refused"),
            503,
            "redis_away",
            {"address": "redis://a", "reason": "refused"},
        ),
        (RuntimeError("inner secret"), 500, "broken", {}),
    ],
)
def test_what_the_counts_refuse(error, status, code, values):
    counts = Made()
    counts.raises = error
    with client(counts) as api:
        answer = api.get(SENTIMENT)
        assert (answer.status_code, *refusal(answer)) == (status, code, values)


def test_what_has_no_code_of_its_own_has_that_of_its_status():
    counts = Made()
    counts.raises = UserError("No.")
    with client(counts) as api:
        codes = [
            answer.json()["code"] for answer in (api.get(SENTIMENT), api.get("/none"), api.post(SENTIMENT))
        ]
    assert codes == ["bad_request", "not_found", "method_not_allowed"]


def test_a_sentence_that_gets_no_label():
    model = MadeModel()
    with client(load=lambda: model) as api:
        model.answer = Unread(Reason.EMPTY_TEXT, "Nothing is left of the text.")
        assert refusal(api.post(CLASSIFY, json={"text": " "})) == ("nothing_to_read", {})
        model.answer = Unread(Reason.MODEL_NAN, "The model answered with no number.")
        assert refusal(api.post(CLASSIFY, json={"text": "a"})) == ("no_label", {})
        for body in (b"{", b"[1]"):
            sent = api.post(CLASSIFY, content=body, headers={"content-type": "application/json"})
            assert refusal(sent) == ("body_unreadable", {})
        long = {"parameters": ["text"], "most": str(MAX_TEXT_CHARACTERS)}
        too_long = api.post(CLASSIFY, json={"text": "a" * (MAX_TEXT_CHARACTERS + 1)})
        assert refusal(too_long) == ("parameter_too_long", long)
        assert refusal(api.post(CLASSIFY, json={"text": "a" * 70_000})) == ("body_too_large", {})


def test_a_model_that_is_not_there():
    def load():
        raise UserError("There is no model here.")

    with client(load=load) as api:
        answer = api.post(CLASSIFY, json={"text": "a"})
        assert refusal(answer) == ("model_missing", {"reason": "There is no model here."})
        assert int(answer.headers["retry-after"]) > 0


def test_who_may_not_ask():
    with client(token=TOKEN) as api:
        assert refusal(api.get(SENTIMENT)) == ("token_needed", {})
        assert refusal(api.get(SENTIMENT, headers={"host": "evil.example"})) == ("other_address", {})
        crossing = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
        assert refusal(api.get(SENTIMENT, headers=crossing)) == ("other_site", {})


def test_a_refusal_that_many_wait_for_keeps_its_code_and_values():
    def read():
        raise RedisAway("Away.", Refusal.REDIS_AWAY, address="redis://a")

    shared = Shared(read)
    for _ in range(2):
        with pytest.raises(RedisAway, match="Away") as refused:
            shared.get()
        assert (refused.value.refusal, refused.value.named) == (Refusal.REDIS_AWAY, {"address": "redis://a"})
