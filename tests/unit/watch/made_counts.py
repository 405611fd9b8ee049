"""Counts without Redis: a reader that answers with made-up numbers, the same each time."""

import dataclasses
import datetime as dt
import random
from zoneinfo import ZoneInfo

from nifos_stream.counters.asking import ALL_TIME, Answers
from nifos_stream.counters.connect import RedisAway
from nifos_stream.counters.kept import Latest
from nifos_stream.counters.posts import KeptPost
from nifos_stream.counters.shapes import Count, Freshness, Point, Total, Window
from nifos_stream.counters.wanted import EVERY
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS

SEOUL = ZoneInfo("Asia/Seoul")
NOW = dt.datetime(2026, 5, 1, 9, 30, tzinfo=SEOUL)
LEVEL = Freshness(
    behind=0,
    behind_seconds=1.23,
    backlog=312,
    counted_since=dt.datetime(2026, 4, 1, 8, 0, tzinfo=SEOUL),
    rebuilding=None,
)
SOURCES = (
    "naver_blog",
    "twitter",
    "instagram",
    "youtube",
    "캠핑카페",
    "네이버_카페_등산사랑_모임",
    "daum",
    "band",
)
KEYWORDS = ("산불", "자연휴양림", "둘레길", "국립공원", "등산로", "산림청", "캠핑장", "숲해설")


def made_post(number, text="숲길 {}", **changes):
    """A post that was labelled `number` minutes before NOW."""
    written = NOW - dt.timedelta(minutes=number)
    post = KeptPost(
        id=str(number),
        text=text.format(number),
        title=None,
        source=("twitter", "naver_blog")[number % 2],
        channel=("sns", "blog")[number % 2],
        author="사람",
        url=f"https://example.org/{number}",
        created_at=written,
        labelled_at=written,
        keywords=("산불",) if number % 5 == 0 else (),
        matched_keywords=("등산로",) if number % 3 == 0 else (),
        label=LABELS[number % 3],
        score=0.8,
        probabilities=(0.8, 0.15, 0.05),
        partition=0,
        offset=1000 - number,
    )
    return dataclasses.replace(post, **changes)


class MadeCounts:
    """Answers like `counters.reader.Counts`; freshness, scale and what is raised can be set."""

    def __init__(self, freshness=LEVEL, scale=100):
        self.freshness_now = freshness
        self.scale = scale
        self.raises = None
        self.asked = []
        self.posts_read = 0
        self.reads = 0

    def window(self, window="1h", *, by=None, where=None, start=None, end=None, grain=None):
        self.asked.append((window, by, tuple((where or {}).items()), start))
        if self.raises is not None:
            raise self.raises
        chance = random.Random(repr((window, by, where, start is None)))
        last = end or NOW
        first = start or last - {"1m": dt.timedelta(seconds=70)}.get(window, dt.timedelta(hours=1))
        points = [
            Point(first + index * (last - first) / 60, self._count(chance, 1 + index / 30))
            for index in range(60)
        ]
        values = SOURCES if by == "source" else KEYWORDS if by else ()
        groups = {value: self._count(chance, 60 / (rank + 1)) for rank, value in enumerate(values)}
        return Window(
            start=first,
            end=last,
            grain=grain or "10s",
            step=grain or "1m",
            total=sum((point.count for point in points), Count()),
            sentences=None,
            by=by,
            groups=groups,
            other=Count(),
            series=tuple(points),
            freshness=self.freshness_now,
        )

    def total(self, by=None, *, where=None):  # noqa: ARG002 - the signature of Counts
        if self.raises is not None:
            raise self.raises
        count = Count(48_123 * self.scale // 100, 9_480 * self.scale // 100, 81_002 * self.scale // 100)
        return Total(count, None, by, {}, Count(), self.freshness_now)

    def together(self, asks):
        """Each by itself: NOW stands still."""
        self.reads += 1
        return Answers(NOW, tuple(self._answer(ask) for ask in asks))

    def _answer(self, ask):
        try:
            if ask.when is ALL_TIME:
                return self.total(ask.by, where=ask.where)
            when = ask.when
            window = self.window(
                when.window, by=ask.by, where=ask.where, start=when.start, end=when.end, grain=when.grain
            )
            if when.before:
                start = window.start - (window.end - window.start)
                window = self.window(when.window, where=ask.where, start=start, end=window.start)
        except RedisAway:
            raise
        except UserError as refused:
            return refused
        trends = {value: [window.groups[value].total] * 60 for value in ask.trends}
        return dataclasses.replace(window, trends=trends)

    def latest(self, wanted=EVERY, *, limit=50):
        self.posts_read += 1
        if self.raises is not None:
            raise self.raises
        posts = [made_post(number) for number in range(10)]
        return Latest(tuple(filter(wanted.accepts_kept, posts))[:limit], self.freshness_now)

    def _count(self, chance, size):
        return Count(*(int(chance.random() * size * share * self.scale / 10) for share in (4, 1, 5)))
