"""The API, on made-up counts and a made-up model."""

import datetime as dt
import json
import threading
import time

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from nifos_stream.counters.reader import LoginRefused, RedisAway
from nifos_stream.counters.shapes import Freshness
from nifos_stream.errors import Reason, UserError
from nifos_stream.model import ModelInfo, Reading, SentenceReading, Unread
from nifos_stream.settings import Settings
from nifos_stream.watch.api import create_app
from nifos_stream.watch.api.answer import PostsAnswer, SentimentAnswer
from nifos_stream.watch.api.app import MAX_TEXT_CHARACTERS
from tests.unit.watch.made_counts import SEOUL, MadeCounts

TOKEN = "s3cret-token"
SENTIMENT = "/api/v1/sentiment"
CLASSIFY = "/api/v1/classify"
POSTS = "/api/v1/posts"


class Made(MadeCounts):
    def window(self, window="1h", *, start=None, **asked):
        return super().window(window, start=start and dt.datetime.fromisoformat(start), **asked)

    def close(self):
        pass


class MadeModel:
    info = ModelInfo("made", "0123456789ab", 60)

    def __init__(self):
        self.running = self.most_running = self.read = 0
        self.answer = Reading((0.1, 0.2, 0.7), 5)

    def classify(self, texts):
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        time.sleep(0.01)
        self.running -= 1
        self.read += len(texts)
        return [self.answer for _ in texts]


def client(counts=None, load=MadeModel, host="127.0.0.1:8080", **web):
    app = create_app(Settings(web=web), counts=counts or Made(), load=load)
    return TestClient(app, base_url=f"http://{host}", raise_server_exceptions=False)


@pytest.fixture
def counts():
    return Made()


@pytest.fixture
def api(counts):
    with client(counts) as opened:
        yield opened


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert "\n" not in answer.json()["detail"]
    assert answer.json()["code"]
    assert all(isinstance(value, (str, list)) for value in answer.json()["values"].values())
    return answer.status_code, answer.json()["detail"]


def test_a_question_gets_every_count_with_its_labels(api):
    answer = api.get(SENTIMENT, params={"by": "source", "grain": "1m", "where": "keyword=산불"})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["from"], said["to"]) == ("2026-05-01T08:30:00+09:00", "2026-05-01T09:30:00+09:00")
    assert (said["grain"], said["by"]) == ("1m", "source")
    for count in (said["total"], said["other"], *said["groups"].values(), *said["series"]):
        assert count["total"] == count["negative"] + count["neutral"] + count["positive"]
    assert sum(point["total"] for point in said["series"]) == said["total"]["total"] > 0
    assert (said["behind"], said["behind_seconds"], said["backlog"]) == (0, 1.23, 312)
    assert said["counted_since"] == "2026-04-01T08:00:00+09:00"


def test_the_answer_is_as_openapi_says(api):
    answer = api.get(SENTIMENT, params={"by": "keyword"})
    assert len(SentimentAnswer.model_validate_json(answer.content).groups) == 8
    schema = api.get("/openapi.json").json()
    shown = schema["paths"][SENTIMENT]["get"]
    assert {"window", "from", "to", "by", "grain", "where"} == {p["name"] for p in shown["parameters"]}
    assert shown["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "SentimentAnswer"
    )
    streams = {"/api/v1/stream", "/api/v1/overview"}
    assert set(schema["paths"]) >= {SENTIMENT, *streams, POSTS, CLASSIFY, "/healthz"}
    for path in streams:
        assert "text/event-stream" in schema["paths"][path]["get"]["responses"]["200"]["content"]


def test_the_latest_posts_come_with_all_that_is_kept_of_them(api):
    answer = api.get(POSTS, params={"limit": 2})
    assert answer.status_code == 200
    said = answer.json()
    assert len(PostsAnswer.model_validate_json(answer.content).posts) == 2
    assert said["behind_seconds"] == 1.23
    newest = said["posts"][0]
    assert (newest["id"], newest["label"], newest["label_ko"]) == ("0", "negative", "부정")
    assert newest["labelled_at"] == "2026-05-01T09:30:00+09:00"
    assert newest["probabilities"] == {"negative": 0.8, "neutral": 0.15, "positive": 0.05}
    assert newest["origin"] == {"partition": 0, "offset": 1000}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"label": "positive"}, ["2", "5", "8"]),
        ({"label": "긍정", "limit": 1}, ["2"]),
        ({"where": "source=twitter"}, ["0", "2", "4", "6", "8"]),
        ({"where": "channel=blog", "label": "negative"}, ["3", "9"]),
        ({"where": "keyword=산불"}, ["0", "5"]),
        ({"where": ["keyword=등산로"]}, ["0", "3", "6", "9"]),
        ({"text": "길 7"}, ["7"]),
        ({"text": "없는 말"}, []),
    ],
)
def test_posts_are_filtered(api, query, ids):
    assert [post["id"] for post in api.get(POSTS, params=query).json()["posts"]] == ids


@pytest.mark.parametrize("query", [{"label": "bad"}, {"limit": 0}, {"limit": 501}, {"colour": "red"}])
def test_a_wrong_question_for_posts_is_one_sentence(api, query):
    assert problem(api.get(POSTS, params=query))[0] == 400


def test_many_viewers_of_the_feed_are_one_read(api, counts):
    for _ in range(5):
        api.get(POSTS)
    assert counts.posts_read == 1


def test_a_question_is_handed_on(api, counts):
    for query in ("window=5m&by=source&where=keyword=a:b", "from=2026-05-01T09:00:00+09:00"):
        assert api.get(f"{SENTIMENT}?{query}").status_code == 200
    assert counts.asked == [
        ("5m", "source", (("keyword", "a:b"),), None),
        ("1h", None, (), dt.datetime(2026, 5, 1, 9, 0, tzinfo=SEOUL)),
    ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("window=1h&from=2026-05-01", "not both window and from"),
        ("where=산불", "`where` is DIMENSION=VALUE, such as keyword=산불, not '산불'."),
        ("where=source=a&where=source=b", "two values of source at once"),
        ("wher=source:a", "There is no parameter 'wher'."),
        ("by=" + "x" * 100, "by: String should have at most 64 characters."),
    ],
)
def test_a_question_that_is_none_is_a_sentence(api, query, sentence):
    for path in (SENTIMENT, "/api/v1/stream"):
        status, said = problem(api.get(f"{path}?{query}"))
        assert status == 400
        assert sentence in said


def test_what_the_counts_refuse_is_400_and_redis_away_is_503(api, counts):
    counts.raises = UserError("Posts are counted by source, not by 'colour'.")
    assert problem(api.get(SENTIMENT)) == (400, "Posts are counted by source, not by 'colour'.")
    assert problem(api.get("/api/v1/stream")) == (400, "Posts are counted by source, not by 'colour'.")
    counts.raises = RedisAway("Redis did not answer.")
    away = api.get(SENTIMENT)
    assert problem(away) == (503, "Redis did not answer.")
    assert int(away.headers["retry-after"]) > 0
    counts.raises = LoginRefused("Redis refused the password.")
    refused = api.get(SENTIMENT)
    assert problem(refused) == (503, "Redis refused the password.")
    assert "retry-after" not in refused.headers
    assert api.get("/healthz").json() == {"ok": True}
    counts.raises = None
    assert api.get(SENTIMENT).status_code == 200


def test_what_nobody_foresaw_is_500_and_keeps_its_details(api, counts):
    counts.raises = RuntimeError("inner secret")
    with capture_logs() as logged:
        status, said = problem(api.get(SENTIMENT))
    assert status == 500
    assert "secret" not in said
    assert [event["event"] for event in logged] == ["request.failed"]
    assert problem(api.get("/nothing"))[0] == 404
    assert problem(api.post(SENTIMENT))[0] == 405


def test_nothing_counted_yet_is_an_answer():
    with client(Made(Freshness(0, None, None, None, None), scale=0)) as api:
        said = api.get(SENTIMENT).json()
    assert (said["total"]["total"], said["behind_seconds"], said["counted_since"]) == (0, None, None)
    assert said["total"]["net_sentiment"] is None


def test_names_that_strangers_made_up_stay_names(api, counts):
    counts.raises = UserError("no \udc80 <script>")
    answer = api.get(SENTIMENT)
    assert problem(answer) == (400, "no \udc80 <script>")
    assert b"no \\udc80 <script>" in answer.content


def test_a_sentence_is_labelled_as_events_are(api):
    said = api.post(CLASSIFY, json={"text": "숲길이 정말 좋았어요"}).json()
    assert said == {
        "sentiment": {
            "label": "positive",
            "label_ko": "긍정",
            "score": 0.7,
            "probabilities": {"negative": 0.1, "neutral": 0.2, "positive": 0.7},
        },
        "model": {"name": "made", "revision": "0123456789ab"},
        "truncated": False,
    }


def test_a_long_text_shows_its_sentences():
    model = MadeModel()
    model.answer = Reading((0.1, 0.2, 0.7), 5, (SentenceReading(0, 4, 5, (0.1, 0.2, 0.7)),))
    with client(load=lambda: model) as api:
        said = api.post(CLASSIFY, json={"text": "좋아요."}).json()
    assert [(s["from"], s["to"], s["label"]) for s in said["sentiment"]["sentences"]] == [(0, 4, "positive")]


def test_the_model_is_loaded_once_and_reads_one_text_at_a_time():
    made = []

    def load():
        made.append(MadeModel())
        return made[-1]

    with client(load=load) as api:
        assert not made
        asked = [
            threading.Thread(target=api.post, args=(CLASSIFY,), kwargs={"json": {"text": str(n)}})
            for n in range(8)
        ]
        for thread in asked:
            thread.start()
        for thread in asked:
            thread.join()
    assert len(made) == 1
    assert (made[0].read, made[0].most_running) == (8, 1)


def test_no_model_is_503_with_its_sentence_and_is_tried_again():
    failures = [UserError("There is no model here.")]

    def load():
        if failures:
            raise failures.pop()
        return MadeModel()

    with client(load=load) as api:
        assert problem(api.post(CLASSIFY, json={"text": "a"})) == (503, "There is no model here.")
        assert api.post(CLASSIFY, json={"text": "a"}).status_code == 200


def test_a_text_of_which_nothing_is_left_has_no_label():
    model = MadeModel()
    model.answer = Unread(Reason.EMPTY_TEXT, "Nothing is left of the text.")
    with client(load=lambda: model) as api:
        assert problem(api.post(CLASSIFY, json={"text": " "})) == (422, "Nothing is left of the text.")


def test_texts_are_bounded_and_nothing_else_is_taken(api):
    assert problem(api.post(CLASSIFY, json={"text": "가" * (MAX_TEXT_CHARACTERS + 1)}))[0] == 400
    assert api.post(CLASSIFY, json={"text": "가" * MAX_TEXT_CHARACTERS}).status_code == 200
    for body, sentence in (
        ({"text": ""}, "text: String should have at least 1 character."),
        ({"text": "a", "more": 1}, "There is no parameter 'more'."),
        ({}, "text: Field required."),
    ):
        assert problem(api.post(CLASSIFY, json=body)) == (400, sentence)
    sent = {"content": b"{", "headers": {"content-type": "application/json"}}
    assert problem(api.post(CLASSIFY, **sent)) == (400, "The body is not JSON.")
    # What a form on another site can send without asking.
    plain = {"content": b'{"text": "a"}', "headers": {"content-type": "text/plain"}}
    assert problem(api.post(CLASSIFY, **plain))[0] == 400


def test_a_body_is_bounded_whether_or_not_it_says_its_length(api):
    body = json.dumps({"text": "a" * 70_000}).encode()
    headers = {"content-type": "application/json"}
    assert problem(api.post(CLASSIFY, content=body, headers=headers))[0] == 413
    pieces = (body[n : n + 1000] for n in range(0, len(body), 1000))
    assert problem(api.post(CLASSIFY, content=pieces, headers=headers))[0] == 413
