"""An alert as AsyncAPI describes it, with examples made as the stream makes them. Connects to nothing."""

import datetime as dt
from dataclasses import replace
from typing import Any

from nifos_stream.alerts.event import to_event
from nifos_stream.alerts.machine import Alert, Subject
from nifos_stream.messages import SEOUL

_AT = int(dt.datetime(2026, 5, 1, 10, 30, tzinfo=SEOUL).timestamp())
_ALERT = Alert(
    Subject("negative-surge", "source", "naver_blog"),
    "negative",
    _AT,
    None,
    {
        "from": _AT - 300,
        "to": _AT,
        "count": {"negative": 63, "neutral": 35, "positive": 40, "total": 138},
        "negative_share": 0.4565,
        "usual": 21.2,
        "ratio": 2.97,
        "score": 7.16,
        "line": 5.2,
        "days": 14,
        "posts": [],
    },
)


def message(binding_version: str) -> dict[str, Any]:
    """The message of the alerts topic."""
    key = {"type": "string", "description": "The alert's id."}
    ended = replace(_ALERT, ended_at=_AT + 1860)
    return {
        "summary": "An alert that began, or has ended: then the same again, with `ended_at`.",
        "payload": {"$ref": "#/components/schemas/AlertEvent"},
        "bindings": {"kafka": {"key": key, "bindingVersion": binding_version}},
        "examples": [
            {"name": name, "payload": to_event(alert, "surge", SEOUL).model_dump(mode="json")}
            for name, alert in (("begun", _ALERT), ("ended", ended))
        ],
    }
