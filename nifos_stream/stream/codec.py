"""Bytes to post, post to labelled event, message to dead letter and back. Knows no client of Kafka."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nifos_stream.errors import BadMessage, Reason
from nifos_stream.messages import LABELS, LABELS_KO, LETTER_HEADERS, LabelledPost, ModelRef, Origin, Post
from nifos_stream.model.reading import Probabilities, Reading, SentenceReading
from nifos_stream.stream.exact_json import Repeated, bare, parse_object, written_members

RESERVED = frozenset(LabelledPost.model_fields) - frozenset(Post.model_fields)
"""Names that an event adds to a post."""

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the input topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """Milliseconds since 1970; -1 when the record has none."""


@dataclass(frozen=True, slots=True)
class Received:
    """A record that holds a post."""

    record: Record
    post: Post
    plain: bool
    """No name in the post is repeated or reserved, so the event's members can be appended to its bytes."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What the headers of a dead letter say of the message in it."""

    headers: Headers
    """The message's own."""
    reason: str
    detail: str
    origin: Origin
    failed_at: dt.datetime
    version: str


def decode(record: Record, *, timezone: dt.tzinfo) -> Received:
    """The post in a record.

    timezone: where a date without zone was written. BadMessage says why it is no post, without quoting it.
    """
    if record.value is None:
        raise BadMessage(Reason.NO_VALUE, "The message has no value.")
    members = parse_object(record.value)
    try:
        post = Post.model_validate(members, context={"timezone": timezone})
    except ValidationError as error:
        raise BadMessage(Reason.INVALID_POST, _sentence(error)) from None
    if not post.text.strip():
        raise BadMessage(Reason.EMPTY_TEXT, "Field text holds nothing but space.")
    plain = not isinstance(members, Repeated) and RESERVED.isdisjoint(members)
    return Received(record, post, plain)


_PROBLEMS = {
    "missing": "is missing",
    "string_type": "is not a string",
    "string_too_short": "is empty",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "finite_number": "is not a finite number",
    "tuple_type": "is not a list of strings",
}
_SHOWN_PROBLEMS = 3


def _sentence(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    shown = "; ".join(_problem(problem) for problem in problems[:_SHOWN_PROBLEMS])
    more = len(problems) - _SHOWN_PROBLEMS
    return shown + (f"; and {more} more problems." if more > 0 else ".")


def _problem(problem: ErrorDetails) -> str:
    said = _PROBLEMS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    return f"Field {'.'.join(map(str, problem['loc']))} {said}"


def encode(
    received: Received,
    reading: Reading,
    *,
    model: ModelRef,
    labelled_at: dt.datetime,
    matched_keywords: Sequence[str] = (),
) -> bytes:
    """The labelled event of a post: the post's own members as they were written, then ours.

    labelled_at: aware. What the post itself has under one of our names stands under `original`.
    """
    value = received.record.value
    if value is None:
        raise ValueError("a record without value holds no post")
    ours = _ours(received.record, reading, model, labelled_at, matched_keywords)
    if received.plain:
        return b"".join((bare(value)[:-1], b",", ours.encode(), b"}"))
    members = written_members(value)
    kept = ",".join(member for name, member in members.items() if name not in RESERVED)
    moved = ",".join(member for name, member in members.items() if name in RESERVED)
    original = f',"original":{{{moved}}}' if moved else ""
    return f"{{{kept},{ours}{original}}}".encode()


def _ours(
    record: Record, reading: Reading, model: ModelRef, labelled_at: dt.datetime, keywords: Sequence[str]
) -> str:
    return (
        f'"sentiment":{_sentiment(reading)},"model":{_model(model)},"labelled_at":"{_moment(labelled_at)}",'
        f'"origin":{{"topic":{_quoted(record.topic)},"partition":{record.partition},"offset":{record.offset},'
        f'"timestamp":{record.timestamp_ms}}},'
        f'"matched_keywords":{json.dumps(list(keywords), ensure_ascii=False) if keywords else "[]"},'
        f'"truncated":{"true" if reading.truncated else "false"}'
    )


def _sentiment(reading: Reading) -> str:
    verdict = _verdict(reading.probabilities, _LABELS_IN_BOTH)
    if not reading.sentences:
        return f"{{{verdict}}}"
    return f'{{{verdict},"sentences":[{",".join(map(_sentence_json, reading.sentences))}]}}'


def _sentence_json(sentence: SentenceReading) -> str:
    # Of a sentence without tokens cleaning left nothing, so the model has not read it.
    verdict = _verdict(sentence.probabilities, _LABELS) if sentence.tokens else _NO_VERDICT
    return f'{{"from":{sentence.start},"to":{sentence.end},"tokens":{sentence.tokens},{verdict}}}'


_LABELS = tuple(f'"label":"{label.value}"' for label in LABELS)
_LABELS_IN_BOTH = tuple(f'"label_ko":"{LABELS_KO[label]}","label":"{label.value}"' for label in LABELS)
_NO_VERDICT = '"label":null,"score":null,"probabilities":null'


def _verdict(probabilities: Probabilities, labels: Sequence[str]) -> str:
    """Label, score and probabilities; labels: each as it is written."""
    negative, neutral, positive = probabilities
    score = max(probabilities)
    return (
        f'{labels[probabilities.index(score)]},"score":{score:.6f},"probabilities":'
        f'{{"negative":{negative:.6f},"neutral":{neutral:.6f},"positive":{positive:.6f}}}'
    )


@lru_cache(maxsize=16)
def _model(model: ModelRef) -> str:
    return model.model_dump_json()


@lru_cache(maxsize=16)
def _moment(moment: dt.datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    utc = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds')}Z"


@lru_cache(maxsize=16)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def letter_headers(
    record: Record, reason: str, detail: str, *, failed_at: dt.datetime, version: str
) -> list[tuple[str, bytes | None]]:
    """Headers of the dead letter of a record: the record's own, then always all LETTER_HEADERS."""
    ours = (
        reason,
        detail,
        record.topic,
        str(record.partition),
        str(record.offset),
        str(record.timestamp_ms),
        _moment(failed_at),
        version,
    )
    return [
        *record.headers,
        *((name, said.encode()) for name, said in zip(LETTER_HEADERS, ours, strict=True)),
    ]


def parse_letter(headers: Sequence[tuple[str, bytes | None]]) -> Letter | None:
    """What the headers of a record in the dead-letter topic say; None when it is no dead letter of ours.

    Only the last headers are ours: a message may bring some of the same names itself.
    """
    own, ours = headers[: -len(LETTER_HEADERS)], headers[-len(LETTER_HEADERS) :]
    if tuple(name for name, _ in ours) != LETTER_HEADERS:
        return None
    try:
        reason, detail, topic, partition, offset, timestamp, failed_at, version = (
            (said or b"").decode() for _, said in ours
        )
        origin = Origin(topic=topic, partition=int(partition), offset=int(offset), timestamp=int(timestamp))
        return Letter(tuple(own), reason, detail, origin, dt.datetime.fromisoformat(failed_at), version)
    except ValueError:
        return None
