"""The posts kept beside the counts: the calls that read them, and what these answer. Knows no connection."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.look import Call, Look
from nifos_stream.counters.posts import KeptPost
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.samples import CHANCES, KEPT_SECONDS, LATEST, name, stretch
from nifos_stream.counters.shapes import Freshness
from nifos_stream.counters.store import Keys
from nifos_stream.counters.wanted import EVERY, Filter
from nifos_stream.counters.windows import Span

_READ_POSTS = 2000
"""Posts that one call reads, about: Redis does nothing else meanwhile."""
# A sample that is about to expire may be gone when it is read.
_EXPIRY_MARGIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Latest:
    """Posts, the one that was labelled last first."""

    posts: tuple[KeptPost, ...]
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class Drawn:
    """How a post came to be kept: its chance, in [0, 1], was not above what its stretch has room for.

    rate: about that limit, so that 1 / rate, summed over what is kept of a stretch, is on average how many
    posts there were; 1 where all are kept.
    """

    chance: float
    rate: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Posts written in [start, end), chosen by chance.

    They are in the order of their chance, which says nothing of them: the first ones are a sample, too.
    drawn: of each post. A busy stretch keeps a lesser share of its posts than a quiet one, so they are no
    fair sample of the whole unless each weighs as many as it stands for.
    whole: these are all the posts there are, as no stretch had more than is kept. kept_since: where
    that which is kept begins, when the window begins before it; else None.
    """

    start: dt.datetime
    end: dt.datetime
    posts: tuple[KeptPost, ...]
    drawn: tuple[Drawn, ...]
    whole: bool
    freshness: Freshness
    kept_since: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """Posts as they were written and as they were read, so that what was read before is not read again."""

    rules: Rules
    posts: Mapping[str, KeptPost]


def latest_calls(keys: Keys, look: Look, wanted: Filter, limit: int) -> list[Call]:
    """The calls of `posts.lua` that read the latest posts of every partition; all, for those wanted."""
    kept = look.rules.latest_posts
    return _calls(keys, look, [LATEST], kept if wanted else min(limit, kept))


def latest_of(
    look: Look, answers: Sequence[Sequence[Any]], wanted: Filter, limit: int, known: Parsed | None = None
) -> tuple[Latest, Parsed]:
    """The newest `limit` of those wanted; and what was parsed, to be known the next time."""
    rules, zone = look.rules, Calendar(look.rules.timezone).zone
    before = known.posts if known is not None and known.rules == rules else {}
    posts: dict[str, KeptPost] = {}
    for (written,) in answers:
        for each in written:
            posts[each] = before.get(each) or _parsed(each, zone, rules)
    found = sorted(filter(wanted.accepts_kept, posts.values()), key=_labelled_at, reverse=True)
    return Latest(tuple(found[:limit]), look.freshness()), Parsed(rules, posts)


def _parsed(written: str, zone: dt.tzinfo, rules: Rules) -> KeptPost:
    if written.startswith("["):
        return KeptPost.of(written, zone)
    return KeptPost.of_event(written, zone, rules)


def _labelled_at(post: KeptPost) -> dt.datetime:
    return post.labelled_at


def sample_calls(keys: Keys, look: Look, span: Span, now: float) -> list[Call]:
    """The calls of `posts.lua` that read the shortest stretches that are kept for all of a span."""
    names = _names(Calendar(look.rules.timezone), span, now)
    return _calls(keys, look, list(names), look.rules.sample_posts)


def sample_of(
    look: Look, answers: Sequence[Sequence[Any]], span: Span, now: float, wanted: Filter = EVERY
) -> Sample:
    """The sample of a span, from what was read of it. now: as the calls were made with."""
    rules = look.rules
    calendar, most = Calendar(rules.timezone), rules.sample_posts
    since = _kept_since(calendar, span, now)
    found: dict[str, Drawn] = {}
    whole = bool(most) and since is None
    for pairs in chain.from_iterable(answers):
        is_full = len(pairs) >= 2 * most
        whole = whole and not is_full
        chances = [float(chance) / CHANCES for chance in pairs[1::2]]
        rate = rate_of(chances) if is_full else 1.0
        found |= {post: Drawn(chance, rate) for post, chance in zip(pairs[::2], chances, strict=True)}
    in_order = sorted(found, key=lambda post: (found[post].chance, post))
    start, end = calendar.moment(span.start), calendar.moment(span.end)
    chosen = [
        (post, found[written])
        for written in in_order
        for post in (KeptPost.of(written, calendar.zone),)
        if start <= post.created_at < end and wanted.accepts_kept(post)
    ]
    kept_since = None if since is None else calendar.moment(since)
    return Sample(
        start,
        end,
        tuple(post for post, _ in chosen),
        tuple(drawn for _, drawn in chosen),
        whole,
        look.freshness(),
        kept_since,
    )


def rate_of(chances: Sequence[float]) -> float:
    """The rate of a stretch of which posts with these chances are kept, least first, and others may not be.

    The last one is among those that its own chance lets in, which alone would make the rate a little too low.
    """
    return min(1.0, chances[-1] * len(chances) / max(1, len(chances) - 1))


def _kept_since(calendar: Calendar, span: Span, now: float) -> int | None:
    """Begin of the first day that is still kept, when the span begins before it."""
    begin, _ = stretch(calendar, "1d", math.floor(now + _EXPIRY_MARGIN_SECONDS - KEPT_SECONDS["1d"]))
    return begin if span.start < begin else None


def _is_kept(length: str, end: int, now: float) -> bool:
    return end + KEPT_SECONDS[length] > now + _EXPIRY_MARGIN_SECONDS


def _names(calendar: Calendar, span: Span, now: float) -> Iterator[str]:
    """The samples whose stretches the span touches."""
    length = next(
        (
            length
            for length in KEPT_SECONDS
            if _is_kept(length, stretch(calendar, length, span.start)[1], now)
        ),
        "1d",
    )
    begin, end = stretch(calendar, length, span.start)
    while begin < span.end:
        if end + KEPT_SECONDS[length] > now:
            yield name(length, begin)
        begin, end = stretch(calendar, length, end)


def _calls(keys: Keys, look: Look, names: Sequence[str], most: int) -> list[Call]:
    """What lies under each of the names, of each partition, at most `most` posts of each."""
    if not most:
        return []
    at_once = max(1, _READ_POSTS // most)
    calls: list[Call] = []
    for partition, state in look.states.items():
        if state.read is None:
            continue
        generation = state.read.number
        for first in range(0, len(names), at_once):
            named = [keys.bucket(partition, generation, each) for each in names[first : first + at_once]]
            calls.append(([keys.state(partition), *named], [generation, most]))
    return calls
