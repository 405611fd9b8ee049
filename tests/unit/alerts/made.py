"""Made-up events of alerts."""

import datetime as dt
from zoneinfo import ZoneInfo

from nifos_stream.messages import AlertEvent

SEOUL = ZoneInfo("Asia/Seoul")
BEGAN = dt.datetime(2026, 5, 1, 9, 30, tzinfo=SEOUL)


def made_alert(number=1, *, ended=False, **changes):
    """Number `number`, which began so many minutes after the first."""
    began = BEGAN + dt.timedelta(minutes=number)
    return AlertEvent.model_validate(
        {
            "id": f"{number:016x}",
            "rule": "negative-surge",
            "kind": "surge",
            "dimension": "source",
            "value": "twitter",
            "metric": "negative",
            "started_at": began,
            "ended_at": began + dt.timedelta(minutes=20) if ended else None,
            "summary": "Source twitter: 63 negative posts in 5 min, usually 21.0 (3.0 times).",
            "evidence": {"usual": 21.0, "posts": [{"id": "1", "text": "산불이 무섭다"}]},
        }
        | changes
    )
