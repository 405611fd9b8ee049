"""One labelled event, read for what is counted of it. Knows no Kafka, no Redis, no bucket."""

import datetime as dt
import functools
import json
import math
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from nifos_stream.counters import fields
from nifos_stream.counters.rules import MAX_KEYWORDS
from nifos_stream.messages import LABELS, folded

_CLASS = {str(label): index for index, label in enumerate(LABELS)}
_ONE_SENTENCE = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
"""Sentences, by label, of a post that was not split."""
_MOST_REMEMBERED_BYTES = 4096
"""Signatures of larger events are not remembered: made-up values must not fill the memory."""


class Skip(StrEnum):
    """Why a record of the labelled topic is not counted."""

    NO_VALUE = "no_value"
    NOT_JSON = "not_json"
    NOT_LABELLED = "not_labelled"


class NotAnEvent(Exception):
    """A record that another producer wrote to the labelled topic."""

    def __init__(self, reason: Skip) -> None:
        super().__init__(reason)
        self.reason = reason


class Signature(NamedTuple):
    """What events have in common that are counted alike; values are written as fields have them."""

    label: int
    source: str
    channel: str
    keywords: tuple[str, ...]
    revision: str


class Event(NamedTuple):
    """What is counted of one event, and its JSON. Times in seconds since 1970."""

    time: float
    believed: bool
    labelled_at: float
    signature: Signature
    sentences: tuple[int, int, int]
    parts: Mapping[str, Any] = MappingProxyType({})


def decode(value: bytes | None, zone: dt.tzinfo, future_tolerance_seconds: float) -> Event:
    """Read an event's JSON. NotAnEvent, with the reason, when it is none.

    time: `created_at`, else the input record's timestamp; the labelling's where that lies further ahead of
    it than the tolerance (`believed` is then False) or where there is none.
    """
    if value is None:
        raise NotAnEvent(Skip.NO_VALUE)
    try:
        parts = _parsed(value)
    except (ValueError, RecursionError):
        raise NotAnEvent(Skip.NOT_JSON) from None
    try:
        return _event(parts, zone, future_tolerance_seconds, small=len(value) <= _MOST_REMEMBERED_BYTES)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        raise NotAnEvent(Skip.NOT_LABELLED) from None


def _parsed(value: bytes) -> Any:
    """What json reads, such as lone surrogates; nearly always by a parser three times as fast."""
    try:
        return orjson.loads(value)
    except ValueError:
        return json.loads(value.decode())


def _event(parts: dict[str, Any], zone: dt.tzinfo, future_tolerance_seconds: float, *, small: bool) -> Event:
    sentiment, origin, written = parts["sentiment"], parts["origin"], parts.get("created_at")
    label = _CLASS[sentiment["label"]]
    labelled_at = _labelling_seconds(parts["labelled_at"])
    time = labelled_at
    if written is not None:
        time = _seconds(written, zone)
    elif not math.isfinite(stamp := origin["timestamp"]):
        raise ValueError
    elif stamp >= 0:
        time = stamp / 1000
    believed = time <= labelled_at + future_tolerance_seconds
    collected, matched = parts.get("keywords"), parts.get("matched_keywords")
    signature = (_remembered_signature if small else _signature)(
        label,
        parts.get("source"),
        parts.get("channel"),
        tuple(collected) if type(collected) is list else _hashable(collected),
        tuple(matched) if type(matched) is list else _hashable(matched),
        parts["model"]["revision"],
    )
    split = sentiment.get("sentences")
    sentences = _ONE_SENTENCE[label] if split is None else _sentences(split)
    return Event(time if believed else labelled_at, believed, labelled_at, signature, sentences, parts)


def _seconds(written: str, zone: dt.tzinfo | None) -> float:
    moment = dt.datetime.fromisoformat(written.strip())
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError
        moment = moment.replace(tzinfo=zone)
    return moment.timestamp()


@functools.lru_cache(maxsize=16)
def _labelling_seconds(written: str) -> float:
    """All events of a batch were labelled at the same moment."""
    return _seconds(written, None)


def _hashable(words: Any) -> Any:
    """What is no list, as a key may hold it: an empty object becomes False, which holds no words either."""
    return False if words == {} else words


def _signature(
    label: int,
    source: str | None,
    channel: str | None,
    collected: str | tuple[str, ...] | None,
    matched: tuple[str, ...] | None,
    revision: str | None,
) -> Signature:
    return Signature(label, _value(source), _value(channel), _keywords(collected, matched), _value(revision))


# Of what a stream holds, most was there before: looking it up takes a tenth of working it out.
_remembered_signature = functools.lru_cache(maxsize=8192)(_signature)


def _value(value: str | None) -> str:
    """A value as fields have it; empty when there is none, and then it is not counted by this dimension."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError
    return fields.written(value)


def _keywords(collected: str | tuple[str, ...] | None, matched: tuple[str, ...] | None) -> tuple[str, ...]:
    """The words under which the post was collected, then those found in it, each once.

    One that is both, however it was written under the first, is counted as the watch list spells it.
    """
    if not collected and not matched:
        return ()
    if isinstance(collected, str):
        collected = (collected,)
    if not matched and isinstance(collected, tuple) and len(collected) == 1:
        only = _value(collected[0])
        return (only,) if only else ()
    if not all(words is None or isinstance(words, tuple) for words in (collected, matched)):
        raise TypeError
    if collected and matched:
        spellings = {folded(word): word for word in matched}
        collected = tuple(word and spellings.get(folded(word), word) for word in collected)
    words = dict.fromkeys(_value(word) for word in (*(collected or ()), *(matched or ())))
    words.pop("", None)
    return tuple(words)[:MAX_KEYWORDS]


def _sentences(sentences: list[Mapping[str, Any]]) -> tuple[int, int, int]:
    """Sentences by label; one that cleaning left empty has none."""
    counts = [0, 0, 0]
    for sentence in sentences:
        if sentence["label"] is not None:
            counts[_CLASS[sentence["label"]]] += 1
    return counts[0], counts[1], counts[2]
