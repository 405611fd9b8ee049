"""A few posts that show what an alert is about. Judges nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from nifos_stream.alerts.machine import Alert
from nifos_stream.counters.reader import Counts, Filter, KeptPost

MOST_POSTS = 3
_LABELS = ("negative", "neutral", "positive")
_MOST_CHARACTERS = 280


def examples(counts: Counts, alert: Alert) -> list[Mapping[str, Any]]:
    """Posts of the alert's window, value and label, of those kept beside the counts, the newest first.

    What Counts.sample raises.
    """
    label = label_of(alert)
    wanted = wanted_of(alert, [label] if label is not None else [])
    start, end = window_of(alert)
    posts = counts.sample(wanted=wanted, start=start, end=end).posts[:MOST_POSTS]
    return [_shown(post) for post in sorted(posts, key=lambda post: post.created_at, reverse=True)]


def label_of(alert: Alert) -> str | None:
    """Whose posts, or share of posts, made it begin; None where that were all posts."""
    label = alert.metric.removesuffix("_share")
    return label if label in _LABELS else None


def wanted_of(alert: Alert, labels: Sequence[str] = ()) -> Filter:
    """The posts of the alert's value."""
    _, dimension, value = alert.subject
    return Filter.of(
        labels=labels,
        sources=[value] if dimension == "source" else [],
        channels=[value] if dimension == "channel" else [],
        keywords=[value] if dimension == "keyword" else [],
    )


def window_of(alert: Alert) -> tuple[float, float]:
    """From when to when, in seconds since 1970, the posts were written that made it begin."""
    return float(str(alert.evidence["from"])), float(str(alert.evidence["to"]))


def _shown(post: KeptPost) -> Mapping[str, Any]:
    text = post.text if len(post.text) <= _MOST_CHARACTERS else f"{post.text[: _MOST_CHARACTERS - 1]}…"
    return {
        "id": post.id,
        "text": text,
        "source": post.source,
        "url": post.url,
        "created_at": post.created_at.isoformat(),
        "label": post.label.value,
        "score": post.score,
    }
