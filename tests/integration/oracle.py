"""What the counts must be, found from labelled events by code that shares nothing with the counters."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable

KOREA = dt.timezone(dt.timedelta(hours=9))
LABELS = ("negative", "neutral", "positive")


def tally(values: Iterable[bytes]) -> dict[str, Counter]:
    """Posts by label; by (source, label), (channel, label), (keyword, label), (day in Korea, label)."""
    found: dict[str, Counter] = {name: Counter() for name in ("all", "source", "channel", "keyword", "day")}
    for value in values:
        event = json.loads(value)
        label = event["sentiment"]["label"]
        found["all"][label] += 1
        for name in ("source", "channel"):
            if event.get(name):
                found[name][event[name], label] += 1
        for word in set(event.get("keywords") or []):
            found["keyword"][word, label] += 1
        day = dt.datetime.fromisoformat(event["created_at"]).astimezone(KOREA).date().isoformat()
        found["day"][day, label] += 1
    return found


def counted(counts, days: Iterable[str]) -> dict[str, Counter]:
    """The same from Redis, through the reader; days as YYYY-MM-DD."""
    found = {"all": Counter(_labels(counts.total().total))}
    for name in ("source", "channel", "keyword"):
        groups = counts.total(name).groups
        found[name] = Counter({(value, la): n for value, c in groups.items() for la, n in _labels(c).items()})
    found["day"] = Counter()
    for day in days:
        start = dt.datetime.fromisoformat(day).replace(tzinfo=KOREA)
        window = counts.window(start=start, end=start + dt.timedelta(days=1))
        found["day"] += Counter({(day, label): n for label, n in _labels(window.total).items()})
    return {name: +counter for name, counter in found.items()}


def _labels(count) -> dict[str, int]:
    return {label: getattr(count, label) for label in LABELS}
