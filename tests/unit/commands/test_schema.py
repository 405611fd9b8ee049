import json

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from nifos_stream.commands.schema import Format, asyncapi, json_schema, render
from nifos_stream.errors import Reason
from nifos_stream.settings import Settings

POST = {"id": "1", "text": "숲길"}


@pytest.fixture
def document():
    return asyncapi(Settings(topics={"posts": "in", "sentiment": "out", "dead_letters": "dead"}))


def follow(document, reference: str):
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(part):
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def validator(document, schema):
    """A validator of a schema within a document, whose references start at the document."""
    checker = FormatChecker()
    return Draft202012Validator({**document, **schema}, format_checker=checker)


# JSON Schema.


@pytest.mark.parametrize("message", [None, "post", "labelled-post", "dead-letter", "alert"])
def test_each_schema_is_a_json_schema_whose_references_lead_somewhere(message):
    schema = json_schema(message)
    Draft202012Validator.check_schema(schema)
    assert all(follow(schema, reference) for reference in references(schema))


@pytest.mark.parametrize(
    "post",
    [
        POST,
        POST | {"id": 17},
        POST | {"keywords": "산불"},
        POST | {"keywords": ["산불"], "rating": "4.5"},
        POST | {"created_at": "2026-05-01", "likes": {"a": [1]}},
        POST | {"source": None, "channel": None},
    ],
)
def test_the_schema_takes_what_the_worker_takes(post):
    Draft202012Validator(json_schema("post")).validate(post)


@pytest.mark.parametrize(
    "post",
    [{"id": "1"}, {"text": "a"}, [], POST | {"text": 1}, POST | {"source": 1}, POST | {"keywords": [1]}],
)
def test_the_schema_refuses_what_the_worker_refuses(post):
    assert not Draft202012Validator(json_schema("post")).is_valid(post)


def test_a_post_is_no_labelled_post():
    assert not Draft202012Validator(json_schema("labelled-post")).is_valid(POST)


# AsyncAPI.


def test_topics_are_named_as_the_settings_name_them(document):
    channels = document["channels"]
    addresses = [channel["address"] for channel in channels.values()]
    assert addresses == ["in", "out", "dead", "nifos.alerts", "nifos.keywords"]
    assert document["servers"] == {"kafka1": {"host": "127.0.0.1:9092", "protocol": "kafka"}}


def test_several_secured_brokers_are_several_servers():
    settings = Settings(kafka={"bootstrap_servers": "a:1, b:2", "username": "u", "password": "SECRET"})
    document = asyncapi(settings)
    assert [server["host"] for server in document["servers"].values()] == ["a:1", "b:2"]
    assert {server["protocol"] for server in document["servers"].values()} == {"kafka-secure"}
    assert "SECRET" not in json.dumps(document)


def test_every_reference_leads_somewhere(document):
    found = list(references(document))
    assert found
    for reference in found:
        assert follow(document, reference)


def test_every_operation_uses_messages_of_its_channel(document):
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


@pytest.mark.parametrize("name", ["post", "labelledPost", "deadLetter", "redriven", "alert", "watchedWord"])
def test_examples_are_what_they_are_examples_of(document, name):
    message = document["components"]["messages"][name]
    for example in message["examples"]:
        validator(document, message["payload"]).validate(example["payload"])
        if "headers" in message:
            validator(document, message["headers"]).validate(example["headers"])


def test_every_reason_of_a_dead_letter_is_named(document):
    headers = document["components"]["messages"]["deadLetter"]["headers"]
    assert headers["properties"]["nifos.reason"]["enum"] == sorted(Reason)


@pytest.mark.parametrize("schema_format", list(Format))
def test_what_is_printed_is_json(schema_format):
    assert json.loads(render(Settings(), schema_format))
