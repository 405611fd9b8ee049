"""What drives the counts of a window, from the posts that are kept of it; each is read for its words once.

Reading takes one core a millisecond or two a post, so it is bounded: at most `MOST_POSTS` posts of each kind
(a sample of the sample), and at most `most_new` that were not read before in one answer, which says how many
are left.
"""

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile, zip_longest
from typing import Protocol

from nifos_stream.counters.kept import Drawn, Sample
from nifos_stream.counters.posts import KeptPost, as_json
from nifos_stream.counters.reader import Counts, Filter, Moment, RedisAway
from nifos_stream.counters.shapes import Freshness, Window
from nifos_stream.counters.wanted import EVERY
from nifos_stream.errors import UserError
from nifos_stream.messages import Label
from nifos_stream.watch import freshness, words
from nifos_stream.watch.drivers import Corpus, Driver, drivers

MOST_POSTS = 1500
MOST_READ = 20_000
"""Posts whose words are remembered."""
MOST_WORDS = 100
_LEAST_RATE = 1e-12
Weighted = tuple[KeptPost, Drawn]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose words: posts of this label in a window, among those that the filter wants.

    window, start, end: as for counts. wanted: without a label.
    """

    label: Label = Label.NEGATIVE
    wanted: Filter = EVERY
    window: str = "1h"
    start: Moment | None = None
    end: Moment | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Found:
    """Words of [start, end), furthest apart first, and how many posts they rest on.

    posts: of the label in the window; posts_before: in the window before; posts_rest: of the other labels in
    the window. worth, worth_before, worth_rest: how many posts drawn alike would tell as much; fewer, where
    busy hours are sampled thinner than quiet ones. counted, counted_before, counted_rest: how many of each
    were counted; None where that is not known. whole: no post was left out. kept_since: where the posts that
    are kept begin, when either window begins before. unread: posts that were not read yet; asking again reads
    more.
    """

    start: dt.datetime
    end: dt.datetime
    label: Label
    posts: int
    posts_before: int
    posts_rest: int
    worth: float
    worth_before: float
    worth_rest: float
    counted: int | None
    counted_before: int | None
    counted_rest: int | None
    whole: bool
    kept_since: dt.datetime | None
    unread: int
    words: tuple[Driver, ...]
    freshness: Freshness


class Reads(Protocol):
    """As `words.Reader`."""

    def read(self, texts: Sequence[str]) -> list[words.Words]:
        """The words of each text."""


class Analyst:
    """Answers one question after the other. Belongs to one thread.

    load: called once, before the first post is read. most_new: posts read for one answer; None for all.
    """

    def __init__(
        self,
        counts: Counts,
        load: Callable[[], Reads] = words.Reader,
        *,
        most_posts: int = MOST_POSTS,
        most_new: int | None = None,
    ) -> None:
        self._counts = counts
        self._load = load
        self._most_posts = most_posts
        self._most_new = most_new
        self._reader: Reads | None = None
        self._known: OrderedDict[tuple[int | None, int | None, str], words.Words] = OrderedDict()

    def find(self, asked: Asked) -> Found:
        """What drives the posts that are asked for. RedisAway; UserError for what cannot be asked."""
        window, counts = self._sample(asked.wanted, asked.window, asked.start, asked.end)
        start = window.start - (window.end - window.start)
        before, counts_before = self._sample(asked.wanted, asked.window, start, window.start)
        kinds = (
            _drawn(window, lambda post: post.label == asked.label),
            _drawn(before, lambda post: post.label == asked.label),
            _drawn(window, lambda post: post.label != asked.label),
        )
        corpora, unread = self._corpora(kinds)
        target, earlier, rest = corpora
        counted, counted_rest = _split(counts, asked.label)
        counted_before, _ = _split(counts_before, asked.label)
        there = (counted, counted_before, counted_rest)
        is_whole = window.whole and before.whole and not unread
        return Found(
            start=window.start,
            end=window.end,
            label=asked.label,
            posts=len(target.posts),
            posts_before=len(earlier.posts),
            posts_rest=len(rest.posts),
            worth=target.worth(),
            worth_before=earlier.worth(),
            worth_rest=rest.worth(),
            counted=counted,
            counted_before=counted_before,
            counted_rest=counted_rest,
            whole=is_whole and all(map(self._are_all, kinds, there)),
            kept_since=window.kept_since or before.kept_since,
            unread=unread,
            words=drivers(target, earlier, rest, min(asked.limit, MOST_WORDS)),
            freshness=window.freshness,
        )

    def _are_all(self, posts: Sequence[Weighted], counted: int | None) -> bool:
        return (counted or 0) <= len(posts) <= self._most_posts

    def _sample(
        self, wanted: Filter, length: str, start: Moment | None, end: Moment | None
    ) -> tuple[Sample, Window | None]:
        """The posts that are kept of a window, and its counts; None where they are of another or unknown."""
        # Counted first: what comes between the two is then one more that is kept, not one that is missing.
        counts = self._count(wanted, length, start, end)
        if counts is not None and start is None:
            start, end = counts.start, counts.end
        sample = self._counts.sample(length, wanted=wanted, start=start, end=end)
        same = counts is not None and (counts.start, counts.end) == (sample.start, sample.end)
        return sample, counts if same else None

    def _count(self, wanted: Filter, length: str, start: Moment | None, end: Moment | None) -> Window | None:
        kinds = {"source": wanted.sources, "channel": wanted.channels, "keyword": wanted.keywords}
        where = {name: value for name, values in kinds.items() for value in values}
        try:
            return self._counts.window(length, where=where, start=start, end=end)
        except RedisAway:
            raise
        except UserError:
            return None  # These are not counted together.

    def _corpora(self, kinds: Sequence[Sequence[Weighted]]) -> tuple[list[Corpus], int]:
        """The posts of each kind that were read, their words, and how many were not, of those looked at."""
        looked_at = [[post for post, _ in kind[: self._most_posts]] for kind in kinds]
        # In turn, so that each kind has its share of what may be read now.
        turns = chain.from_iterable(zip_longest(*looked_at))
        self._read([post for post in turns if post is not None and _key(post) not in self._known])
        # Up to the first that was not read: only the first ones are a sample.
        read = [list(takewhile(lambda post: _key(post) in self._known, posts)) for posts in looked_at]
        named = iter(words.named([self._known[_key(post)] for post in chain.from_iterable(read)]))
        corpora = [
            Corpus(posts, [next(named) for _ in posts], weights(kind, len(posts)))
            for posts, kind in zip(read, kinds, strict=True)
        ]
        return corpora, sum(map(len, looked_at)) - sum(map(len, read))

    def _read(self, posts: Sequence[KeptPost]) -> None:
        """Read as many of them as may be now."""
        chosen = posts[: self._most_new]
        if not chosen:
            return
        if self._reader is None:
            self._reader = self._load()
        texts = [f"{post.title}\n{post.text}" if post.title else post.text for post in chosen]
        self._known.update(zip(map(_key, chosen), self._reader.read(texts), strict=True))
        while len(self._known) > MOST_READ:
            self._known.popitem(last=False)


def weights(kind: Sequence[Weighted], first: int) -> list[float]:
    """How many posts each of the first ones stands for.

    A post is among them when its chance is neither above the rate of its stretch nor above that of the last.
    """
    limit = 1.0 if first == len(kind) else kind[first - 1][1].chance
    return [1 / max(min(drawn.rate, limit), _LEAST_RATE) for _, drawn in kind[:first]]


def _drawn(sample: Sample, is_one: Callable[[KeptPost], bool]) -> list[Weighted]:
    return [(post, drawn) for post, drawn in zip(sample.posts, sample.drawn, strict=True) if is_one(post)]


def _split(counts: Window | None, label: Label) -> tuple[int | None, int | None]:
    """How many have the label, and how many have not."""
    if counts is None:
        return None, None
    return counts.total.of(label), counts.total.total - counts.total.of(label)


def drivers_json(found: Found) -> dict[str, object]:
    """What was found as JSON has it."""
    return {
        "from": found.start.isoformat(),
        "to": found.end.isoformat(),
        "label": found.label.value,
        "posts": found.posts,
        "posts_before": found.posts_before,
        "posts_rest": found.posts_rest,
        "worth": round(found.worth),
        "worth_before": round(found.worth_before),
        "worth_rest": round(found.worth_rest),
        "counted": found.counted,
        "counted_before": found.counted_before,
        "counted_rest": found.counted_rest,
        "whole": found.whole,
        "kept_since": None if found.kept_since is None else found.kept_since.isoformat(),
        "unread": found.unread,
        "words": [
            {
                "word": driver.word,
                "z": _rounded(driver.z),
                "z_before": _rounded(driver.z_before),
                "z_rest": _rounded(driver.z_rest),
                "count": driver.count,
                "count_before": driver.count_before,
                "count_rest": driver.count_rest,
                "posts": list(map(as_json, driver.posts)),
            }
            for driver in found.words
        ],
        "behind_seconds": freshness.as_json(found.freshness)["behind_seconds"],
    }


def _rounded(z: float | None) -> float | None:
    return None if z is None else round(z, 3)


def _key(post: KeptPost) -> tuple[int | None, int | None, str]:
    # A topic that was made anew has the same offsets again.
    return post.partition, post.offset, post.id
