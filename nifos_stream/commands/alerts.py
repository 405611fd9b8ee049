"""`alerts`: what the rules would have found in a recorded series, and what they have found."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nifos_stream.alerts.evaluator import Evaluator, days_back, replay
from nifos_stream.alerts.event import kinds, to_event
from nifos_stream.alerts.numbers import DAY, MINUTE
from nifos_stream.alerts.recorded import Recorded
from nifos_stream.alerts.shelf import State, shelf_of
from nifos_stream.commands import alert_series, tables
from nifos_stream.counters.windows import instant
from nifos_stream.errors import UserError
from nifos_stream.files import parse_mapping
from nifos_stream.messages import AlertEvent
from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import Rule
from nifos_stream.watch.look import plain

_TOPIC_DAYS = 14
_MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the rules would have found in [start, end)."""

    start: dt.datetime
    end: dt.datetime
    values: int
    rules: tuple[str, ...]
    alerts: tuple[AlertEvent, ...]

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "rules": list(self.rules),
            "alerts": [alert.model_dump(mode="json") for alert in self.alerts],
        }


def replay_rules(
    settings: Settings,
    *,
    file: Path | None = None,
    start: str | None = None,
    end: str | None = None,
    names: Sequence[str] = (),
    columns: Sequence[str] = (),
    now: Callable[[], float] = time.time,
) -> Replayed:
    """Hold the rules against a file of counts, or against the labelled topic without one.

    start, end: dates or times between which rules are held; of the topic the last 14 days without them.
    names: only these rules. columns: FIELD=NAME, such as time=때. UserError when there is nothing to look at.
    """
    rules = _chosen(settings.alerts.rules, names)
    zone = settings.zone
    until = instant(end, zone) if end else None
    if file is not None:
        since = instant(start, zone) if start else None
        series = alert_series.from_file(file, zone, parse_mapping(columns, example="time=때"))
    else:
        until = until or now()
        since = instant(start, zone) if start else until - _TOPIC_DAYS * DAY
        history = max(1, *(days_back(rule) for rule in rules))
        series = alert_series.from_topic(settings, since - (history + 1) * DAY, until)
    first, last = _bounds(series, since, until)
    evaluator = Evaluator(rules, series, most_open=settings.alerts.most_open)
    latest: dict[str, AlertEvent] = {}
    for alert in replay(evaluator, first, last):
        latest[alert.id] = to_event(alert, kinds(rules)[alert.subject.rule], zone)
    return Replayed(
        dt.datetime.fromtimestamp(first, zone),
        dt.datetime.fromtimestamp(last, zone),
        series.values(),
        tuple(rule.name for rule in rules),
        tuple(latest.values()),
    )


def show_replay(replayed: Replayed, *, as_json: bool = False, out: Console | None = None) -> None:
    """Print it, as a table or as one line of JSON."""
    out = out or Console(highlight=False)
    if as_json:
        out.print(Text(json.dumps(replayed.as_json(), ensure_ascii=False)), soft_wrap=True)
        return
    if replayed.alerts:
        out.print(table(replayed.alerts))
    count, rules = len(replayed.alerts), ", ".join(replayed.rules)
    out.print(
        f"{count:,} alert{'' if count == 1 else 's'} from {replayed.start:%Y-%m-%d %H:%M} to"
        f" {replayed.end:%Y-%m-%d %H:%M} {replayed.end:%Z}, by {rules}.",
        soft_wrap=True,
    )


def show_list(
    settings: Settings, state: State, limit: int, *, as_json: bool = False, out: Console | None = None
) -> None:
    """Print the newest `limit` alerts, as a table or as lines of JSON. RedisAway."""
    out = out or Console(highlight=False)
    shelf = shelf_of(settings)
    try:
        alerts = shelf.read(state, limit)
    finally:
        shelf.close()
    if as_json:
        for alert in alerts:
            out.print(Text(alert.model_dump_json()), soft_wrap=True)
    elif alerts:
        out.print(table(alerts))
    else:
        out.print("No alert is open." if state == "open" else "There was no alert yet.")


def table(alerts: Iterable[AlertEvent]) -> Table:
    """Alerts for a terminal; times in their own zone."""
    rows = tables.table("began", "ended", "rule", "what", folded="what")
    for alert in alerts:
        ended = "open" if alert.ended_at is None else _moment(alert.ended_at, alert.started_at)
        rows.add_row(f"{alert.started_at:%Y-%m-%d %H:%M}", ended, alert.rule, Text(plain(alert.summary)))
    return rows


def _chosen(rules: tuple[Rule, ...], names: Sequence[str]) -> tuple[Rule, ...]:
    known = [rule.name for rule in rules]
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"There is no rule {unknown[0]!r}; the rules are {', '.join(known) or 'none'}.")
    if not rules:
        raise UserError("There are no rules (NIFOS_ALERTS__RULES).")
    return tuple(rule for rule in rules if not names or rule.name in names)


def _bounds(series: Recorded, since: float | None, until: float | None) -> tuple[int, int]:
    if series.start is None or series.end is None:
        raise UserError("There is nothing to replay.")
    first = series.start if since is None else max(series.start, int(since // MINUTE) * MINUTE)
    # Beyond the last post, silence begins and alerts end.
    last = series.end if until is None else int(until // MINUTE) * MINUTE
    if first >= last:
        raise UserError("There is nothing to replay between these dates.")
    if last - first > _MOST_DAYS * DAY:
        raise UserError(
            f"So long a time takes too long to replay; give --from and --to, at most {_MOST_DAYS} days."
        )
    return first, last


def _moment(moment: dt.datetime, before: dt.datetime) -> str:
    same_day = moment.date() == before.date()
    return f"{moment:%H:%M}" if same_day else f"{moment:%Y-%m-%d %H:%M}"
