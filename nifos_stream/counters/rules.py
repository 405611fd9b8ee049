"""Everything that decides a count or which posts are kept, and its fingerprint. Knows no clock, no Redis."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from nifos_stream.counters import fields
from nifos_stream.settings import GRAINS, Settings

FORMAT = 2
"""Raised whenever the same settings and the same topic would give other numbers, fields or posts."""
MAX_KEYWORDS = 32
"""A post is counted under its first so many different keywords."""
SINGLE = ("source", "channel", "keyword", "revision")
PAIRS = {"source*keyword": ("source", "keyword"), "channel*keyword": ("channel", "keyword")}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is counted and how; two generations with equal rules have equal numbers and keep the same posts.

    always_values: as fields have them, by dimension; a pair whose parts are both named is let in too.
    latest_posts, sample_posts: posts kept of a partition, and in each of its samples; text_characters: what
    is kept of a text. All three are 0 in rules that were written before posts were kept.
    """

    dimensions: tuple[str, ...]
    retention_seconds: Mapping[str, int]
    max_values: int
    always_values: Mapping[str, frozenset[str]]
    timezone: str
    future_tolerance_seconds: float
    latest_posts: int = 0
    sample_posts: int = 0
    text_characters: int = 0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules that `settings` ask for."""
        counters = settings.counters
        return cls(
            dimensions=tuple(sorted(set(counters.dimensions))),
            retention_seconds=counters.retention.seconds(),
            max_values=counters.max_values,
            always_values={
                dimension: frozenset(_written(dimension, value) for value in values)
                for dimension, values in counters.always_values.items()
            },
            timezone=settings.timezone,
            future_tolerance_seconds=float(counters.future_tolerance_seconds),
            latest_posts=counters.latest_posts,
            sample_posts=counters.sample_posts,
            text_characters=counters.text_characters,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The rules that `to_json` wrote."""
        parts = json.loads(text)
        parts.pop("format")
        parts.pop("grains")
        parts["dimensions"] = tuple(parts["dimensions"])
        parts["always_values"] = {name: frozenset(values) for name, values in parts["always_values"].items()}
        return cls(**parts)

    def to_json(self) -> str:
        """One spelling of these rules."""
        parts = {
            "format": FORMAT,
            "grains": GRAINS,
            "dimensions": self.dimensions,
            "retention_seconds": self.retention_seconds,
            "max_values": self.max_values,
            "always_values": {name: sorted(values) for name, values in self.always_values.items()},
            "timezone": self.timezone,
            "future_tolerance_seconds": self.future_tolerance_seconds,
            "latest_posts": self.latest_posts,
            "sample_posts": self.sample_posts,
            "text_characters": self.text_characters,
        }
        return json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def fingerprint(self) -> str:
        """A short name of these rules."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def always(self, dimension: str, value: str) -> bool:
        """Whether `value`, written as in a field, needs no free place."""
        if value in self.always_values.get(dimension, ()):
            return True
        if dimension not in PAIRS:
            return False
        parts = zip(PAIRS[dimension], value.split("*"), strict=True)
        return all(part in self.always_values.get(name, ()) for name, part in parts)


def _written(dimension: str, value: str) -> str:
    if dimension not in PAIRS:
        return fields.written(value)
    first, _, second = value.partition("*")
    return fields.pair(fields.written(first), fields.written(second))
