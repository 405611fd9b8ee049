"""What the stream writes is what `nifos-stream schema` says that it writes."""

import json

from jsonschema import Draft202012Validator, FormatChecker

from nifos_stream.commands.dead_letters import list_letters
from nifos_stream.commands.schema import asyncapi, json_schema
from nifos_stream.messages import LabelledPost
from tests.integration.kafka_tools import New, produce_all, read_all
from tests.integration.stages import running

POSTS = [
    {"id": "1", "text": "숲길이 좋아요"},
    {"id": 2, "text": "별로예요", "source": "twitter", "channel": "sns", "created_at": "2026-05-01"},
    {"id": "3", "text": "a", "title": None, "author": "x", "url": "https://x", "keywords": "산불"},
    {
        "id": "4",
        "text": "a",
        "rating": "4.5",
        "keywords": ["산불", "숲길"],
        "created_at": "2026-05-01T09:00:00Z",
    },
    {"id": "5", "text": "a", "model": "T", "sentiment": 1, "original": {}, "likes": {"a": [1, None]}},
]


def test_real_events_and_letters_hold_to_the_printed_schemas(make_settings):
    settings = make_settings(partitions=1)
    bootstrap, topics = settings.kafka.bootstrap_servers, settings.topics
    good = [json.dumps(post, ensure_ascii=False).encode() for post in POSTS]
    produce_all(bootstrap, topics.posts, [*good, b"\xff", New(None, b"key")])
    with running(settings) as worker:
        worker.wait_idle()
    events = [json.loads(record.value) for record in read_all(bootstrap, topics.sentiment)]
    assert [event["id"] for event in events] == [post["id"] for post in POSTS]
    labelled = Draft202012Validator(json_schema("labelled-post"), format_checker=FormatChecker())
    for event in events:
        labelled.validate(event)
        LabelledPost.model_validate(event)

    listed = Draft202012Validator(json_schema("dead-letter"), format_checker=FormatChecker())
    letters = [json.loads(letter.model_dump_json()) for letter in list_letters(settings)]
    assert [letter["reason"] for letter in letters] == ["not_utf8", "no_value"]
    for letter in letters:
        listed.validate(letter)

    headers = asyncapi(settings)["components"]["messages"]["deadLetter"]["headers"]
    for record in read_all(bootstrap, topics.dead_letters):
        said = {name: value.decode() for name, value in record.headers}
        Draft202012Validator(headers, format_checker=FormatChecker()).validate(said)
