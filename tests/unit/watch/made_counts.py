"""Counts without Redis: a reader that answers with made-up numbers, the same each time."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

from nifos_stream.counters.shapes import Count, Freshness, Point, Total, Window

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


class MadeCounts:
    """Answers like `counters.reader.Counts`; freshness, scale and what is raised can be set."""

    def __init__(self, freshness=LEVEL, scale=100):
        self.freshness_now = freshness
        self.scale = scale
        self.raises = None
        self.asked = []

    def window(self, window="1h", *, by=None, where=None, start=None, end=None, grain=None):
        self.asked.append((window, by, tuple((where or {}).items()), start))
        if self.raises is not None:
            raise self.raises
        chance = random.Random(repr((window, by, where, start is None)))
        last = end or NOW
        first = start or last - dt.timedelta(hours=1)
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

    def _count(self, chance, size):
        return Count(*(int(chance.random() * size * share * self.scale / 10) for share in (4, 1, 5)))
