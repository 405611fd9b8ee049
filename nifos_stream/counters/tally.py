"""The increments of one batch of one partition. Knows no Kafka and no Redis.

Events that are counted alike are added up first, so that a steady stream costs a few operations an event.
The order in which a bucket first meets its values is kept: it decides which of them have a place.
"""

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from nifos_stream.counters import fields
from nifos_stream.counters.buckets import Calendar, believable
from nifos_stream.counters.event import Event, Signature
from nifos_stream.counters.rules import PAIRS, Rules
from nifos_stream.settings import GRAINS

TOTAL = "total"
MAX_ENTRIES = 50_000
"""Values over all buckets that one call carries, about; a flood of made-up values makes shorter batches."""

# Counts that grow together are lanes of one integer: posts, then negative, neutral and positive sentences.
_LANE = 40
_MASK = (1 << _LANE) - 1
_WHOLE = {(1, 0, 0): 1 + (1 << _LANE), (0, 1, 0): 1 + (1 << 2 * _LANE), (0, 0, 1): 1 + (1 << 3 * _LANE)}
"""Lanes of a post that was not split, by its sentences: nearly all are."""
_FINEST = GRAINS["10s"]
_Item: TypeAlias = tuple[str, str, int]
"""A dimension, a value, and 1 where it is always let in."""


@dataclass(slots=True)
class Bucket:
    """What one bucket grows by, as lanes by signature in the order of first meeting."""

    expires_at: int
    alike: dict[Signature, int] = field(default_factory=dict)


class Tally:
    """Increments of a batch, in offset order. Empty it by making a new one."""

    def __init__(self, rules: Rules, calendar: Calendar) -> None:
        self._rules = rules
        self._calendar = calendar
        self._alike: dict[tuple[float, Signature], int] = {}
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
        time, believed, labelled_at, signature, sentences, _ = event
        key = (time // _FINEST, signature)
        known = self._alike.get(key, 0)
        if not known:
            self._entries += 5 * (3 + 3 * len(signature.keywords))
        self._alike[key] = known + (_WHOLE.get(sentences) or _lanes(*sentences))
        self.events += 1
        if not believed:
            self.not_believed += 1
        if self.since is None:
            self.since = labelled_at

    def buckets(self, expired_by: int) -> dict[str, Bucket]:
        """Increments by the last part of the bucket's key, such as `total` or `1h:1700000000`.

        expired_by: a time that Redis's clock has passed. A bucket whose expiry lies before it is left out,
        as Redis would drop it at once; so what is left out changes no number that can be read.
        """
        buckets: dict[str, Bucket] = {TOTAL: Bucket(expires_at=0)} if self._alike else {}
        places: dict[float, list[dict[Signature, int]]] = {}
        for (step, signature), lanes in self._alike.items():
            if step not in places:
                places[step] = self._places(believable(step * _FINEST), buckets, expired_by)
            for alike in places[step]:
                alike[signature] = alike.get(signature, 0) + lanes
        return buckets

    def _places(
        self, seconds: int, buckets: dict[str, Bucket], expired_by: int
    ) -> list[dict[Signature, int]]:
        """The buckets that an event of this time counts in, made where they are missing."""
        places = [buckets[TOTAL].alike]
        for grain in GRAINS:
            start = self._calendar.start(grain, seconds)
            expires_at = self._calendar.end(grain, start) + self._rules.retention_seconds[grain]
            if expires_at > expired_by:
                places.append(buckets.setdefault(f"{grain}:{start}", Bucket(expires_at)).alike)
        return places


class Spelling:
    """Writes increments as `apply.lua` reads them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._items = functools.lru_cache(maxsize=65_536)(self._find_items)

    def to_json(self, buckets: dict[str, Bucket]) -> str:
        """One array a bucket, in the order of `buckets`.

        [expires_at, posts, sentences, [[dimension, [[value, always let in, count, count, count, …], …]], …]]
        with counts by label; a source has six, its posts' and its sentences'.
        """
        written: dict[tuple[tuple[Signature, int], ...], str] = {}
        parts: list[str] = []
        for bucket in buckets.values():
            # What a stream brings at a time mostly lies in one hour, and so in one day: they grow alike.
            alike = tuple(bucket.alike.items())
            if alike not in written:
                plain = json.dumps(self._plain(alike), ensure_ascii=False, separators=(",", ":"))
                written[alike] = plain[1:]
            parts.append(f"[{bucket.expires_at},{written[alike]}")
        return f"[{','.join(parts)}]"

    def _plain(self, alike: Iterable[tuple[Signature, int]]) -> list[Any]:
        posts, sentences = [0, 0, 0], 0
        values: dict[_Item, int] = {}
        by_source: dict[str, int] = {}
        for signature, lanes in alike:
            count, label = lanes & _MASK, signature.label
            posts[label] += count
            sentences += lanes >> _LANE
            count <<= label * _LANE
            for item in self._items(
                signature.source, signature.channel, signature.keywords, signature.revision
            ):
                values[item] = values.get(item, 0) + count
            if signature.source:
                by_source[signature.source] = by_source.get(signature.source, 0) + (lanes >> _LANE)
        dimensions: dict[str, list[list[Any]]] = {}
        for (dimension, value, always), lanes in values.items():
            entry = [value, always, *_by_label(lanes)]
            if dimension == "source":
                entry += _by_label(by_source[value])
            dimensions.setdefault(dimension, []).append(entry)
        return [posts, _by_label(sentences), list(dimensions.items())]

    def _find_items(
        self, source: str, channel: str, keywords: tuple[str, ...], revision: str
    ) -> tuple[_Item, ...]:
        """What such an event counts under."""
        single = {
            "source": (source,) if source else (),
            "channel": (channel,) if channel else (),
            "keyword": keywords,
            "revision": (revision,) if revision else (),
        }
        items: list[tuple[str, str]] = []
        for dimension in self._rules.dimensions:
            if dimension in PAIRS:
                first, second = PAIRS[dimension]
                items += [(dimension, fields.pair(a, b)) for a in single[first] for b in single[second]]
            else:
                items += [(dimension, value) for value in single[dimension]]
        return tuple((name, value, int(self._rules.always(name, value))) for name, value in items)


def _lanes(negative: int, neutral: int, positive: int) -> int:
    """Lanes of one post with so many sentences."""
    return 1 + (negative << _LANE) + (neutral << 2 * _LANE) + (positive << 3 * _LANE)


def _by_label(lanes: int) -> list[int]:
    return [lanes & _MASK, lanes >> _LANE & _MASK, lanes >> 2 * _LANE & _MASK]
