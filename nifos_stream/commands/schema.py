"""`schema`: the messages as JSON Schema, and the topics as an AsyncAPI document. Connects to nothing."""

import datetime as dt
import json
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from nifos_stream import __version__
from nifos_stream.commands import alert_schema
from nifos_stream.errors import Reason
from nifos_stream.kafka import DAY_MS, retention_days
from nifos_stream.messages import (
    LETTER_HEADERS,
    REDRIVEN_HEADER,
    SEOUL,
    AlertEvent,
    DeadLetter,
    LabelledPost,
    ModelRef,
    Post,
    WatchedWord,
)
from nifos_stream.model.reading import Reading
from nifos_stream.settings import Settings
from nifos_stream.stream.codec import Record, decode, encode, letter_headers

MODELS: dict[str, type[BaseModel]] = {
    "post": Post,
    "labelled-post": LabelledPost,
    "dead-letter": DeadLetter,
    "alert": AlertEvent,
}
"""What a JSON Schema can be asked for, by name. A dead letter is a line of `dead-letters list --json`."""
_PAYLOADS: tuple[type[BaseModel], ...] = (*MODELS.values(), WatchedWord)

_BINDING = "0.5.0"
_AN_HOUR_LATER = dt.datetime(2026, 5, 1, 10, 30, tzinfo=SEOUL)
_POST = {
    "id": "naver_blog-20260501-17",
    "text": "숲길이 잘 정비되어 있어서 걷기 좋았어요",
    "source": "naver_blog",
    "channel": "blog",
    "created_at": "2026-05-01T09:30:00+09:00",
    "keywords": ["숲길"],
}
_WORD = WatchedWord(added_at=_AN_HOUR_LATER)


class Format(StrEnum):
    """In which language the messages are described."""

    JSON_SCHEMA = "json-schema"
    ASYNCAPI = "asyncapi"


def render(settings: Settings, schema_format: Format, message: str | None = None) -> str:
    """The description as indented JSON. message: one of MODELS, for the JSON Schema of that alone."""
    document = asyncapi(settings) if schema_format is Format.ASYNCAPI else json_schema(message)
    return json.dumps(document, ensure_ascii=False, indent=2)


def json_schema(message: str | None = None) -> dict[str, Any]:
    """JSON Schema (2020-12) of one of MODELS, or of any of them, each to be found under `$defs`."""
    chosen = list(MODELS.values()) if message is None else [MODELS[message]]
    _, schema = models_json_schema([(model, "validation") for model in chosen], title="nifos-stream")
    references = [{"$ref": f"#/$defs/{model.__name__}"} for model in chosen]
    root = references[0] if message is not None else {"anyOf": references}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema | root


def asyncapi(settings: Settings) -> dict[str, Any]:
    """AsyncAPI 3.0 of the topics as `settings` name and shape them."""
    _, schema = models_json_schema(
        [(model, "validation") for model in _PAYLOADS], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "nifos-stream",
            "version": __version__,
            "description": "Labels Korean posts negative, neutral or positive, each exactly once. Read with"
            " isolation.level=read_committed.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(settings),
        "channels": _channels(settings),
        "operations": {
            "receivePosts": _operation("receive", "posts", "post", "Posts to label."),
            "sendLabelledPosts": _operation(
                "send", "sentiment", "labelledPost", "Each post with its sentiment."
            ),
            "sendDeadLetters": _operation("send", "deadLetters", "deadLetter", "What is no post, and why."),
            "redrivePosts": _operation("send", "posts", "post", "Dead letters that are sent in again."),
            "markRedriven": _operation("send", "deadLetters", "redriven", "A mark for each of those."),
            "sendAlerts": _operation("send", "alerts", "alert", "What is unusual, when it begins and ends."),
            "sendWatchedWords": _operation("send", "keywords", "watchedWord", "Words to look for."),
            "receiveWatchedWords": _operation("receive", "keywords", "watchedWord", "The watch list."),
        },
        "components": {"schemas": schema["$defs"], "messages": _messages()},
    }


def _servers(settings: Settings) -> dict[str, Any]:
    secure = settings.kafka.username is not None or "SSL" in str(
        settings.kafka.properties.get("security.protocol", "")
    )
    protocol = "kafka-secure" if secure else "kafka"
    hosts = settings.kafka.bootstrap_servers.split(",")
    return {
        f"kafka{n}": {"host": host.strip(), "protocol": protocol} for n, host in enumerate(hosts, start=1)
    }


def _channels(settings: Settings) -> dict[str, Any]:
    topics, days = settings.topics, retention_days(settings)
    channels = {
        "posts": (topics.posts, "Posts as crawlers and people bring them.", ["post"]),
        "sentiment": (topics.sentiment, "Labelled posts, each exactly once.", ["labelledPost"]),
        "deadLetters": (
            topics.dead_letters,
            "Messages that could not be labelled, byte for byte.",
            ["deadLetter", "redriven"],
        ),
    }
    found = {
        name: _channel(
            address,
            description,
            messages,
            topics.partitions,
            topics.replication_factor,
            {"retention.ms": int(days[address] * DAY_MS)},
        )
        for name, (address, description, messages) in channels.items()
    }
    found["alerts"] = _channel(
        topics.alerts,
        "Alerts: one record when each begins, one when it ends.",
        ["alert"],
        1,
        topics.replication_factor,
        {"retention.ms": int(days[topics.alerts] * DAY_MS)},
    )
    description = "The watch list; the newest record of each word counts."
    compact = {"cleanup.policy": ["compact"]}
    found["keywords"] = _channel(
        topics.keywords, description, ["watchedWord"], 1, topics.replication_factor, compact
    )
    return found


def _channel(
    address: str,
    description: str,
    messages: list[str],
    partitions: int,
    replicas: int,
    configuration: dict[str, Any],
) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in messages},
        "bindings": {
            "kafka": {
                "topic": address,
                "partitions": partitions,
                "replicas": replicas,
                "topicConfiguration": configuration,
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(action: str, channel: str, message: str, summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
    }


def _messages() -> dict[str, Any]:
    post, labelled, letter = _examples()
    return {
        "post": {
            "summary": "A post or review, before it is labelled.",
            "payload": {"$ref": "#/components/schemas/Post"},
            "bindings": _any_key(),
            "examples": [post],
        },
        "labelledPost": {
            "summary": "The post's own members and headers, with its sentiment; the key is the post's.",
            "payload": {"$ref": "#/components/schemas/LabelledPost"},
            "bindings": _any_key(),
            "examples": [labelled],
        },
        "deadLetter": {
            "summary": "Key, value and headers of the message as they were, then headers that say why.",
            "contentType": "application/octet-stream",
            "payload": {"description": "The bytes of the message, or none."},
            "headers": _letter_headers_schema(),
            "bindings": _any_key(),
            "examples": [letter],
        },
        "redriven": {
            "summary": "Marks a dead letter as sent in again. Has no value.",
            "payload": {"type": "null"},
            "headers": {
                "type": "object",
                "required": [REDRIVEN_HEADER],
                "properties": {
                    REDRIVEN_HEADER: {
                        "type": "string",
                        "pattern": "^[0-9]+:[0-9]+$",
                        "description": "Partition and offset of the letter in this topic.",
                    }
                },
            },
            "examples": [{"headers": {REDRIVEN_HEADER: "3:41"}, "payload": None}],
        },
        "alert": alert_schema.message(_BINDING),
        "watchedWord": {
            "summary": "A word of the watch list. Without a value it is taken off.",
            "payload": {"anyOf": [{"$ref": "#/components/schemas/WatchedWord"}, {"type": "null"}]},
            "bindings": {
                "kafka": {
                    "key": {"type": "string", "description": "The word, composed (NFC)."},
                    "bindingVersion": _BINDING,
                }
            },
            "examples": [
                {"name": "added", "payload": _WORD.model_dump(mode="json")},
                {"name": "removed", "payload": None},
            ],
        },
    }


def _any_key() -> dict[str, Any]:
    return {"kafka": {"key": {"description": "Kept as it came; may be missing."}, "bindingVersion": _BINDING}}


def _letter_headers_schema() -> dict[str, Any]:
    said: dict[str, dict[str, Any]] = {name: {"type": "string"} for name in LETTER_HEADERS}
    said["nifos.reason"]["enum"] = sorted(Reason)
    for name in ("nifos.partition", "nifos.offset", "nifos.timestamp"):
        said[name]["pattern"] = "^-?[0-9]+$"
    said["nifos.failed_at"]["format"] = "date-time"
    return {"type": "object", "required": list(LETTER_HEADERS), "properties": said}


def _examples() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A post, its event and a dead letter, made as the stream makes them."""
    value = json.dumps(_POST, ensure_ascii=False).encode()
    record = Record(b"17", value, (), "nifos.posts", 3, 41, 1_777_595_400_000)
    event = encode(
        decode(record, timezone=SEOUL),
        Reading(probabilities=(0.012, 0.095, 0.893), tokens=14),
        model=ModelRef(name="example", revision="0123456789ab"),
        labelled_at=_AN_HOUR_LATER,
        matched_keywords=["숲길"],
    )
    headers = letter_headers(
        record,
        Reason.INVALID_POST,
        "Field text is missing.",
        failed_at=_AN_HOUR_LATER,
        version=__version__,
    )
    said = {name: (value or b"").decode() for name, value in headers}
    return (
        {"name": "blog", "payload": _POST},
        {"name": "positive", "payload": json.loads(event)},
        {"name": "without text", "headers": said, "payload": '{"id": "naver_blog-20260501-17"}'},
    )
