"""A labelled post as it is kept beside the counts, cut to what is shown of it. Knows no Redis, no Kafka."""

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from nifos_stream.counters import fields
from nifos_stream.counters.buckets import EARLIEST, LATEST
from nifos_stream.counters.event import Event, decode
from nifos_stream.counters.rules import Rules
from nifos_stream.messages import LABELS, LABELS_KO, Label

NAME_CHARACTERS = 200
MOST_RAW_BYTES = 2048
"""An event up to this size is kept as it is among the latest."""
URL_CHARACTERS = 1000
"""Characters kept of an id, a title and an author; and of a URL, of which a longer one is not kept at all."""

_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class KeptPost:
    """One labelled post.

    text: its beginning, ending in … where it was cut. created_at: when it was written, as it is counted; the
    record's time where it has no date of its own. Both times are aware. keywords: under which it was
    collected; matched_keywords: found in it. score, probabilities (in the order of LABELS), partition and
    offset (in the input topic): None where the event does not have them.
    """

    id: str
    text: str
    title: str | None
    source: str | None
    channel: str | None
    author: str | None
    url: str | None
    created_at: dt.datetime
    labelled_at: dt.datetime
    keywords: tuple[str, ...]
    matched_keywords: tuple[str, ...]
    label: Label
    score: float | None
    probabilities: tuple[float, float, float] | None
    partition: int | None
    offset: int | None

    @classmethod
    def of_event(cls, value: str, zone: dt.tzinfo, rules: Rules) -> Self:
        """The post in a whole event, which was found to be one."""
        event = decode(value.encode(), zone, rules.future_tolerance_seconds)
        return cls.of(written(event, rules.text_characters).decode(), zone)

    @classmethod
    def of(cls, written: str, zone: dt.tzinfo) -> Self:
        """The post that `written` wrote, its times in `zone`."""
        label, created_ms, labelled_ms, keywords, matched, chances, *rest = json.loads(written)
        score, partition, offset, name, text, title, source, channel, author, url = rest
        return cls(
            id=name,
            text=text,
            title=title,
            source=source,
            channel=channel,
            author=author,
            url=url,
            created_at=dt.datetime.fromtimestamp(created_ms / 1000, zone),
            labelled_at=dt.datetime.fromtimestamp(labelled_ms / 1000, zone),
            keywords=tuple(keywords),
            matched_keywords=tuple(matched),
            label=LABELS[label],
            score=score,
            probabilities=tuple(chances) if chances else None,
            partition=partition,
            offset=offset,
        )


def written(event: Event, text_characters: int) -> bytes:
    """The event's post as JSON in UTF-8, without the names of its members."""
    parts, signature = event.parts, event.signature
    sentiment, origin = parts["sentiment"], parts["origin"]
    origin = origin if isinstance(origin, dict) else {}
    plain = [
        signature.label,
        _milliseconds(event.time),
        _milliseconds(event.labelled_at),
        _words(parts.get("keywords"), signature.keywords),
        _words(parts.get("matched_keywords"), signature.keywords),
        _chances(sentiment.get("probabilities")),
        _number(sentiment.get("score")),
        _whole(origin.get("partition")),
        _whole(origin.get("offset")),
        _cut(_name(parts.get("id")), NAME_CHARACTERS) or "",
        _cut(parts.get("text"), text_characters) or "",
        _cut(parts.get("title"), NAME_CHARACTERS),
        fields.read(signature.source) or None,
        fields.read(signature.channel) or None,
        _cut(parts.get("author"), NAME_CHARACTERS),
        _url(parts.get("url")),
    ]
    spelt = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    try:
        return spelt.encode()
    except UnicodeEncodeError:
        return fields.without_lone_surrogates(spelt).encode()


def as_json(post: KeptPost) -> dict[str, object]:
    """The members as JSON has them."""
    return {
        "id": post.id,
        "text": post.text,
        "title": post.title,
        "source": post.source,
        "channel": post.channel,
        "author": post.author,
        "url": post.url,
        "created_at": post.created_at.isoformat(),
        "labelled_at": post.labelled_at.isoformat(),
        "keywords": list(post.keywords),
        "matched_keywords": list(post.matched_keywords),
        "label": post.label.value,
        "label_ko": LABELS_KO[post.label],
        "score": post.score,
        "probabilities": dict(zip((label.value for label in LABELS), post.probabilities, strict=True))
        if post.probabilities
        else None,
        "origin": {"partition": post.partition, "offset": post.offset},
    }


def _milliseconds(seconds: float) -> int:
    return round(min(max(seconds, EARLIEST), LATEST) * 1000)


_ID_BITS = 64
"""Longer numbers are no identifiers, and Python spells none of some thousand digits."""


def _name(value: object) -> object:
    """An id may be a whole number, of any length: the text that it is."""
    return str(value) if type(value) is int and value.bit_length() <= _ID_BITS else value


def _cut(value: object, characters: int) -> str | None:
    if not isinstance(value, str):
        return None
    return value if len(value) <= characters else value[: characters - 1] + "…"


def _url(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= URL_CHARACTERS else None


def _words(words: str | Iterable[str] | None, counted: tuple[str, ...]) -> list[str]:
    """Those words that the post is counted under, each once, as they are counted."""
    listed = [words] if isinstance(words, str) else words or ()
    named = dict.fromkeys(fields.written(word) for word in listed if word)
    return [fields.read(word) for word in named if word in counted]


def _number(value: object) -> float | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return float(value) if type(value) is int and value in (0, 1) else None


def _whole(value: object) -> int | None:
    return value if type(value) is int and abs(value) <= _LARGEST else None


def _chances(value: object) -> list[float] | None:
    if not isinstance(value, Mapping):
        return None
    numbers = [_number(value.get(label.value)) for label in LABELS]
    return None if None in numbers else [number for number in numbers if number is not None]
