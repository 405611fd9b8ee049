import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from nifos_stream.counters.event import decode
from nifos_stream.counters.posts import KeptPost, as_json, written
from nifos_stream.counters.rules import Rules
from nifos_stream.messages import Label
from nifos_stream.settings import Settings

SEOUL = ZoneInfo("Asia/Seoul")
EVENT = {
    "id": "1",
    "text": "숲길이 좋았어요",
    "title": "후기",
    "source": "a:b",
    "channel": "sns",
    "author": "사람",
    "url": "https://example.org/1",
    "created_at": "2026-05-01T09:30:00",
    "keywords": ["산불", "산불", "100%"],
    "sentiment": {
        "label": "positive",
        "score": 0.9,
        "probabilities": {"negative": 0.02, "neutral": 0.08, "positive": 0.9},
    },
    "model": {"name": "tiny", "revision": "r1"},
    "labelled_at": "2026-05-03T03:09:37.250Z",
    "origin": {"topic": "posts", "partition": 3, "offset": 7, "timestamp": 1_777_000_000_500},
    "matched_keywords": ["등산로"],
}


def kept(**changes):
    event = decode(json.dumps({**EVENT, **changes}).encode(), SEOUL, 600.0)
    return KeptPost.of(written(event, 400).decode(), SEOUL)


def test_a_post_comes_back_with_all_that_is_shown_of_it():
    post = kept()
    assert as_json(post) == {
        "id": "1",
        "text": "숲길이 좋았어요",
        "title": "후기",
        "source": "a:b",
        "channel": "sns",
        "author": "사람",
        "url": "https://example.org/1",
        "created_at": "2026-05-01T09:30:00+09:00",
        "labelled_at": "2026-05-03T12:09:37.250000+09:00",
        "keywords": ["산불", "100%"],
        "matched_keywords": ["등산로"],
        "label": "positive",
        "label_ko": "긍정",
        "score": 0.9,
        "probabilities": {"negative": 0.02, "neutral": 0.08, "positive": 0.9},
        "origin": {"partition": 3, "offset": 7},
    }


def test_a_whole_event_gives_the_same_post():
    assert KeptPost.of_event(json.dumps(EVENT), SEOUL, Rules.of(Settings())) == kept()


def test_it_is_dated_as_it_is_counted():
    assert kept(created_at=None).created_at == dt.datetime(2026, 4, 24, 12, 6, 40, 500_000, SEOUL)
    assert kept(created_at="2027-01-01").created_at == kept().labelled_at


def test_long_values_are_cut_and_a_long_url_is_left_out():
    post = kept(text="숲" * 500, title="길" * 500, id="x" * 500, author="y" * 500, url="z" * 1001)
    assert (len(post.text), post.text[-2:]) == (400, "숲…")
    assert [len(value) for value in (post.title, post.id, post.author)] == [200, 200, 200]
    assert post.url is None


def test_an_id_that_is_a_number_is_kept_as_its_digits():
    assert kept(id=214).id == "214"
    assert kept(id=-(2**63)).id == str(-(2**63))
    assert kept(id=10**400).id == kept(id=True).id == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"text": 5, "id": None, "title": [], "author": {}, "url": 1},
        {"origin": "unknown"},
        {"origin": {"partition": True, "offset": 10**400}},
        {"sentiment": {"label": "positive"}},
        {"sentiment": {"label": "positive", "score": 10**400, "probabilities": {"negative": "x"}}},
        {"sentiment": {"label": "positive", "score": [], "probabilities": []}},
        {"keywords": [None, "산불"], "matched_keywords": []},
        {"keywords": "산불"},
        {"text": "\ud800 half a pair", "title": "\udfff"},
        {"labelled_at": "9999-12-31T23:59:59Z", "created_at": "0001-01-01T00:00:00Z"},
    ],
)
def test_whatever_is_counted_can_be_kept(changes):
    """Other producers write what they like; none of it may stop the counting."""
    post = kept(**changes)
    assert post.label is Label.POSITIVE
    json.dumps(as_json(post), ensure_ascii=False).encode()


def test_what_is_not_there_is_not_made_up():
    post = kept(sentiment={"label": "positive"}, origin={}, title=None, source=None, keywords=None)
    assert (post.score, post.probabilities, post.partition, post.offset) == (None, None, None, None)
    assert (post.title, post.source, post.keywords) == (None, None, ())
