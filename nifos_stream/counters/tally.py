"""The increments of one batch of one partition. Knows no Kafka and no Redis.

Events that are counted alike are added up first, so that a steady stream costs a few operations an event.
The order in which a bucket first meets its values is kept: it decides which of them have a place.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from nifos_stream.counters import fields
from nifos_stream.counters.buckets import Calendar, believable
from nifos_stream.counters.event import Event, Signature
from nifos_stream.counters.rules import PAIRS, Rules
from nifos_stream.settings import GRAINS

TOTAL = "total"
MAX_ENTRIES = 50_000
"""Values over all buckets that one call carries, about; a flood of made-up values makes shorter batches."""


@dataclass(slots=True)
class Bucket:
    """What one bucket grows by. values: [negative, neutral, positive], for a source with its sentences'."""

    expires_at: int
    posts: list[int] = field(default_factory=lambda: [0, 0, 0])
    sentences: list[int] = field(default_factory=lambda: [0, 0, 0])
    values: dict[str, dict[str, list[int]]] = field(default_factory=dict)


class Tally:
    """Increments of a batch, in offset order. Empty it by making a new one."""

    def __init__(self, rules: Rules, calendar: Calendar) -> None:
        self._rules = rules
        self._calendar = calendar
        self._alike: dict[tuple[int, Signature], list[int]] = {}
        self._entries = 0
        self.since: float | None = None
        self.events = 0
        self.not_believed = 0

    @property
    def full(self) -> bool:
        """Whether the batch should be counted before more is added."""
        return self._entries >= MAX_ENTRIES

    def add(self, event: Event) -> None:
        """Count one event."""
        seconds = believable(event.time)
        key = (seconds - seconds % GRAINS["10s"], event.signature)
        counts = self._alike.get(key)
        if counts is None:
            counts = self._alike[key] = [0, 0, 0, 0]
            self._entries += 5 * (3 + 3 * len(event.signature.keywords))
        negative, neutral, positive = event.sentences
        counts[0] += 1
        counts[1] += negative
        counts[2] += neutral
        counts[3] += positive
        self.events += 1
        self.not_believed += not event.believed
        if self.since is None:
            self.since = event.labelled_at

    def buckets(self, expired_by: int) -> dict[str, Bucket]:
        """Increments by the last part of the bucket's key, such as `total` or `1h:1700000000`.

        expired_by: a time that Redis's clock has passed. A bucket whose expiry lies before it is left out,
        as Redis would drop it at once; so what is left out changes no number that can be read.
        """
        buckets: dict[str, Bucket] = {}
        if self._alike:
            buckets[TOTAL] = Bucket(expires_at=0)
        for (seconds, signature), counts in self._alike.items():
            items = self._items(signature)
            self._grow(buckets[TOTAL], signature, counts, items)
            for grain in GRAINS:
                start = self._calendar.start(grain, seconds)
                expires_at = self._calendar.end(grain, start) + self._rules.retention_seconds[grain]
                if expires_at > expired_by:
                    bucket = buckets.setdefault(f"{grain}:{start}", Bucket(expires_at))
                    self._grow(bucket, signature, counts, items)
        return buckets

    def _items(self, signature: Signature) -> list[tuple[str, str]]:
        """The dimensions and values that an event of this kind counts under."""
        single = {
            "source": (signature.source,) if signature.source else (),
            "channel": (signature.channel,) if signature.channel else (),
            "keyword": signature.keywords,
            "revision": (signature.revision,) if signature.revision else (),
        }
        items = []
        for dimension in self._rules.dimensions:
            if dimension in PAIRS:
                first, second = PAIRS[dimension]
                items += [(dimension, fields.pair(a, b)) for a in single[first] for b in single[second]]
            else:
                items += [(dimension, value) for value in single[dimension]]
        return items

    @staticmethod
    def _grow(bucket: Bucket, signature: Signature, counts: list[int], items: list[tuple[str, str]]) -> None:
        label, (posts, *sentences) = signature.label, counts
        bucket.posts[label] += posts
        for index in range(3):
            bucket.sentences[index] += sentences[index]
        for dimension, value in items:
            values = bucket.values.setdefault(dimension, {})
            grown = values.get(value)
            if grown is None:
                grown = values[value] = [0] * (6 if dimension == "source" else 3)
            grown[label] += posts
            if dimension == "source":
                for index in range(3):
                    grown[3 + index] += sentences[index]


def to_json(buckets: dict[str, Bucket], rules: Rules) -> str:
    """The increments as `apply.lua` reads them, one array a bucket, in the order of `buckets`.

    [expires_at, posts, sentences, [[dimension, [[value, always let in, count, count, count, …], …]], …]]
    """
    return json.dumps(
        [_plain(bucket, rules) for bucket in buckets.values()], ensure_ascii=False, separators=(",", ":")
    )


def _plain(bucket: Bucket, rules: Rules) -> list[Any]:
    dimensions = [
        [
            dimension,
            [[value, int(rules.always(dimension, value)), *counts] for value, counts in values.items()],
        ]
        for dimension, values in bucket.values.items()
    ]
    return [bucket.expires_at, bucket.posts, bucket.sentences, dimensions]
