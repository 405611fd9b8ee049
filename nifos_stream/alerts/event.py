"""An alert as it travels, and back again; and what it says to a person. Knows no Kafka and no Redis."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from nifos_stream.alerts.gaps import Gap
from nifos_stream.alerts.machine import Alert, Subject
from nifos_stream.alerts.numbers import EVERYTHING
from nifos_stream.messages import AlertEvent
from nifos_stream.settings.alerts import Rule

_METRICS = {
    "posts": "posts",
    **{label: f"{label} posts" for label in ("negative", "neutral", "positive")},
    **{f"{label}_share": f"the {label} share" for label in ("negative", "neutral", "positive")},
}


def to_event(alert: Alert, kind: str, zone: dt.tzinfo) -> AlertEvent:
    """The event of an alert that began or ended. zone: of its times."""
    evidence = {
        name: _moment(value, zone).isoformat() if name in ("from", "to") else value
        for name, value in alert.evidence.items()
    }
    return AlertEvent.model_validate(
        {
            "id": alert.id,
            "rule": alert.subject.rule,
            "kind": kind,
            "dimension": alert.subject.dimension,
            "value": alert.subject.value if alert.subject.dimension != "all" else None,
            "metric": alert.metric,
            "started_at": _moment(alert.started_at, zone),
            "ended_at": None if alert.ended_at is None else _moment(alert.ended_at, zone),
            "summary": _summary(alert, kind),
            "evidence": evidence,
        }
    )


def of_event(event: AlertEvent) -> Alert:
    """The alert that an event tells of. Its times in the evidence become seconds again."""
    evidence = {
        name: int(dt.datetime.fromisoformat(value).timestamp()) if name in ("from", "to") else value
        for name, value in event.evidence.items()
    }
    return Alert(
        Subject(event.rule, event.dimension, EVERYTHING if event.value is None else event.value),
        event.metric,
        int(event.started_at.timestamp()),
        None if event.ended_at is None else int(event.ended_at.timestamp()),
        evidence,
    )


def read_event(record: bytes | None) -> AlertEvent:
    """The event of a record of the alerts topic.

    ValueError for whatever this program did not write: no alert, or one that could not be told of again when
    it ends.
    """
    try:
        event = AlertEvent.model_validate_json(record or b"")
    except ValidationError as error:
        raise ValueError(f"It is no alert: {error.errors()[0]['msg']}.") from None
    try:
        alert = of_event(event)
        to_event(replace(alert, ended_at=alert.started_at), event.kind, dt.UTC)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"Its evidence cannot be used: {type(error).__name__} {error}.") from None
    if alert.id != event.id:
        raise ValueError("Its id is not that of its rule, value and beginning.")
    return event


def kinds(rules: tuple[Rule, ...]) -> dict[str, str]:
    """The kind of each rule by its name."""
    return {rule.name: rule.kind for rule in rules}


def left_out_of(gap: Gap, zone: dt.tzinfo) -> Mapping[str, object]:
    """Evidence of an alert that was open while minutes could not be evaluated."""
    start, end = (_moment(seconds, zone).isoformat() for seconds in (gap.start, gap.end))
    return {"left_out": {"from": start, "to": end, "minutes": gap.minutes}}


def _moment(seconds: Any, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), zone)


def _summary(alert: Alert, kind: str) -> str:
    whose = "all posts" if alert.subject.dimension == "all" else " ".join(alert.subject[1:])
    facts = alert.evidence
    minutes = (int(str(facts["to"])) - int(str(facts["from"]))) // 60
    said = _SAID[kind](_METRICS[alert.metric], alert.metric, facts, _length(minutes))
    end = f" Over after {_length((alert.ended_at - alert.started_at) // 60)}" if alert.ended_at else ""
    return f"{whose[0].upper()}{whose[1:]}: {said}.{end}{_unseen(facts) if end else ''}{end and '.'}"


def _unseen(facts: Mapping[str, Any]) -> str:
    """How much of it nobody could look at."""
    if "left_out" not in facts:
        return ""
    return f", of which {_length(int(facts['left_out']['minutes']))} could not be looked at"


def _surge(name: str, metric: str, facts: Mapping[str, Any], length: str) -> str:
    count, usual = facts["count"], float(facts["usual"])
    if metric.endswith("_share"):
        label = metric.removesuffix("_share")
        share = count[label] / max(count["total"], 1)
        return (
            f"{name} is {share:.0%} in {length} ({count[label]} of {count['total']} posts),"
            f" usually {usual:.0%}"
        )
    seen = count["total" if metric == "posts" else metric]
    return f"{seen} {name} in {length}, usually {usual:.1f} ({float(facts['ratio']):.1f} times)"


def _threshold(name: str, metric: str, facts: Mapping[str, Any], length: str) -> str:
    number, line = float(facts["number"]), float(facts["line"])
    where = "above" if number > line else "below"
    if metric.endswith("_share"):
        return f"{name} is {number:.1%} over {length}, {where} {line:.0%}"
    return f"{number:,.0f} {name} in {length}, {where} {line:,.0f}"


def _silence(_name: str, _metric: str, facts: Mapping[str, Any], length: str) -> str:
    usual = f", usually {float(facts['usual']):.0f}" if "usual" in facts else ""
    return f"no post for {length}{usual}"


_SAID = {"surge": _surge, "threshold": _threshold, "silence": _silence}


def _length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if hours and not rest:
        return f"{hours} h"
    return f"{hours} h {rest} min" if hours > 1 else f"{minutes} min"
