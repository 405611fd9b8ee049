"""What a webhook is sent: text that Slack shows, the events, and a signature. Sends nothing.

The signature is `v1=` and the hex HMAC-SHA256, by the secret, of the timestamp header, a full stop and the
body. Whoever receives it computes the same, compares in constant time, and refuses a timestamp that is old.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from nifos_stream.messages import AlertEvent

TIMESTAMP_HEADER = "X-Nifos-Timestamp"
SIGNATURE_HEADER = "X-Nifos-Signature"
DELIVERY_HEADER = "X-Nifos-Delivery"
_MOST_LINES = 20
_MOST_POST_CHARACTERS = 140


def body(events: Sequence[AlertEvent]) -> bytes:
    """The JSON: `text`, as Slack's incoming webhooks take it, and `alerts`, the events as on the topic."""
    said = {"text": text(events), "alerts": [event.model_dump(mode="json") for event in events]}
    return json.dumps(said, ensure_ascii=False).encode(errors="backslashreplace")


def headers(sent: bytes, secret: str | None, delivery: str, now: float) -> dict[str, str]:
    """Of one try. delivery: the same each time that the same events are sent. now: seconds since 1970."""
    said = {"Content-Type": "application/json; charset=utf-8", DELIVERY_HEADER: delivery}
    said[TIMESTAMP_HEADER] = timestamp = str(int(now))
    if secret is not None:
        said[SIGNATURE_HEADER] = signature(sent, secret, timestamp)
    return said


def signature(sent: bytes, secret: str, timestamp: str) -> str:
    """The value of SIGNATURE_HEADER."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + sent, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def text(events: Sequence[AlertEvent]) -> str:
    """A line for each alert, and the words and posts of those that began, in Slack's markup."""
    lines: list[str] = []
    for event in events[:_MOST_LINES]:
        lines.append(_line(event))
        if event.ended_at is None:
            if words := _words(event):
                lines.append(f"Words that stand out: {_escaped(', '.join(words))}")
            lines += [f"> {_post(post)}" for post in _posts(event)]
    if len(events) > _MOST_LINES:
        lines.append(f"… and {len(events) - _MOST_LINES} more.")
    return "\n".join(lines)


def _line(event: AlertEvent) -> str:
    if event.ended_at is None:
        return (
            f":rotating_light: *{_escaped(event.summary)}* ({_escaped(event.rule)}, {_at(event.started_at)})"
        )
    return (
        f":white_check_mark: Over: {_escaped(event.summary)}"
        f" ({_escaped(event.rule)}, {_at(event.started_at)} to {_at(event.ended_at)})"
    )


def _posts(event: AlertEvent) -> list[Mapping[str, object]]:
    """The posts of the evidence, as far as there are any: somebody else may have written the event."""
    posts = event.evidence.get("posts")
    return [post for post in posts if isinstance(post, Mapping)] if isinstance(posts, list) else []


def _words(event: AlertEvent) -> list[str]:
    """The words of the evidence, alike."""
    drivers = event.evidence.get("drivers")
    words = drivers.get("words") if isinstance(drivers, Mapping) else None
    said = words if isinstance(words, list) else []
    return [str(one["word"]) for one in said if isinstance(one, Mapping) and one.get("word")]


def _at(moment: dt.datetime) -> str:
    return f"{moment:%m-%d %H:%M}"


def _post(post: Mapping[str, object]) -> str:
    written = " ".join(str(post.get("text", "")).split())
    if len(written) > _MOST_POST_CHARACTERS:
        written = f"{written[: _MOST_POST_CHARACTERS - 1]}…"
    return _escaped(written)


def _escaped(written: str) -> str:
    """Slack's three characters; whatever a stranger wrote then is no link, no mention and no <!channel>."""
    return written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
