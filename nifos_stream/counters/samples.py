"""Which posts are kept beside the counts: the latest, and a sample of every stretch of time. Knows no Redis.

A post's chance is a hash of its `origin`, and a sample is the posts of its stretch with the least chance.
Which they are depends neither on the order in which they came nor on where the calls begin and end: whoever
reads the same topic keeps the same posts.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import Any

from nifos_stream.counters import posts
from nifos_stream.counters.buckets import Calendar, believable
from nifos_stream.counters.event import Event
from nifos_stream.counters.rules import Rules

LATEST = "latest"
STRETCHES = {"10m": 600, "1h": 3600, "1d": 86_400}
"""Seconds of each length of stretch, finest first. A day is one of the calendar's."""
KEPT_SECONDS = {"10m": 9000, "1h": 49 * 3600, "1d": 15 * 86_400}
"""How long after its end a sample is kept: two hours, two days and two weeks, and a little over."""
MOST_SAMPLES = 85
"""Samples that a partition has at a time, at most."""
CHANCES = 2**48
"""Above every chance; a post of a stretch has each below it equally likely."""
_BREAK = b"\n"
_64_BITS = 2**64 - 1
# Every stretch of today's time zones begins at a multiple of this.
_ALIGNED_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Sample:
    """What is offered to one sample: (number of the post in Kept.posts, its chance)."""

    expires_at: int
    offered: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Posts of a batch that may be kept, as JSON.

    latest: a line for each of the latest, oldest first. posts: what the samples are offered, by the last part
    of their key.
    """

    latest: bytes = b""
    posts: tuple[bytes, ...] = ()
    samples: Mapping[str, Sample] = field(default_factory=dict)

    def to_plain(self, rules: Rules) -> list[Any]:
        """As `apply.lua` reads it, which counts from 1."""
        samples = [
            [sample.expires_at, [part for number, chance in sample.offered for part in (number + 1, chance)]]
            for sample in self.samples.values()
        ]
        return [rules.latest_posts, rules.sample_posts, samples]


NOTHING = Kept()


def stretch(calendar: Calendar, length: str, seconds: int) -> tuple[int, int]:
    """Begin and end of the stretch of this length that `seconds` lies in."""
    if length == "1d":
        begin = calendar.start("1d", seconds)
        return begin, calendar.end("1d", begin)
    begin = seconds - seconds % STRETCHES[length]
    return begin, begin + STRETCHES[length]


def name(length: str, begin: int) -> str:
    """Last part of the key of a sample."""
    return f"sample:{length}:{begin}"


class Keeping:
    """Chooses among the events of a batch, in offset order, those that may be kept.

    bars: by name of a sample, the chance below which a post may still enter. expired_by: a time that Redis's
    clock has passed.
    """

    def __init__(
        self, rules: Rules, calendar: Calendar, bars: Mapping[str, float], expired_by: int = 0
    ) -> None:
        self._rules = rules
        self._calendar = calendar
        self._bars = bars
        self._expired_by = expired_by
        self._latest: deque[Event | bytes] = deque(maxlen=rules.latest_posts)
        self._samples: dict[str, _Best] = {}
        self._places: dict[float, list[_Best]] = {}

    def add(self, event: Event, offset: int, value: bytes) -> None:
        """Consider one event. offset, value: its own, on the labelled topic."""
        self._latest.append(value if len(value) <= posts.MOST_RAW_BYTES and _BREAK not in value else event)
        aligned = event.time // _ALIGNED_SECONDS
        places = self._places.get(aligned)
        if places is None:
            places = self._places[aligned] = self._find(believable(aligned * _ALIGNED_SECONDS))
        if places:
            chance = chance_of(event, offset)
            for best in places:
                if chance < best.bar:
                    best.offer(chance, event)

    def kept(self) -> Kept:
        """Those that were chosen; the rest is forgotten unread."""
        characters = self._rules.text_characters
        # Nearly every event is one of the latest for a moment, so most are kept as they came.
        latest = _BREAK.join(
            each if isinstance(each, bytes) else posts.written(each, characters) for each in self._latest
        )
        written: list[bytes] = []
        numbers: dict[int, int] = {}

        def number(event: Event) -> int:
            if id(event) not in numbers:
                numbers[id(event)] = len(written)
                written.append(posts.written(event, characters))
            return numbers[id(event)]

        samples = {
            name: Sample(best.expires_at, tuple((number(event), chance) for chance, event in best.chosen()))
            for name, best in self._samples.items()
            if best.found
        }
        return Kept(latest, tuple(written), samples)

    def _find(self, seconds: int) -> "list[_Best]":
        """The samples that an event of this time may enter."""
        found: list[_Best] = []
        for length, kept_seconds in KEPT_SECONDS.items() if self._rules.sample_posts else ():
            begin, end = stretch(self._calendar, length, seconds)
            if end + kept_seconds > self._expired_by:
                called = name(length, begin)
                if called not in self._samples:
                    bar = self._bars.get(called, float("inf"))
                    self._samples[called] = _Best(end + kept_seconds, self._rules.sample_posts, bar)
                found.append(self._samples[called])
        return found


@dataclass(slots=True)
class _Best:
    """Those of a batch that have the least chance in one stretch. found: (-chance, order, event), a heap."""

    expires_at: int
    most: int
    bar: float
    found: list[tuple[int, int, Event]] = field(default_factory=list)
    _order: int = 0

    def offer(self, chance: int, event: Event) -> None:
        self._order += 1
        entry = (-chance, self._order, event)
        if len(self.found) < self.most:
            heappush(self.found, entry)
        else:
            heappushpop(self.found, entry)
        if len(self.found) == self.most:
            self.bar = min(self.bar, -self.found[0][0])

    def chosen(self) -> Sequence[tuple[int, Event]]:
        return [(-chance, event) for chance, _, event in self.found]


def chance_of(event: Event, offset: int) -> int:
    """A number below CHANCES that only the event's origin decides; its own offset where it states none.

    The offset and the time of the input record, mixed as by Vigna's splitmix64: each partition has samples of
    its own, and two records of a topic with the same offset (it was made anew) have not the same time.
    """
    number, stamp = offset, 0
    origin = event.parts.get("origin")
    if type(origin) is dict:
        stated, at = origin.get("offset"), origin.get("timestamp")
        if type(stated) is int and type(at) is int:
            number, stamp = stated, at
    mixed = (number + (stamp << 20)) * 0x9E3779B97F4A7C15 & _64_BITS
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _64_BITS
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _64_BITS
    return mixed >> 16
