"""Counts by minute for a replay of alert rules: of a file, or of the labelled topic. Judges nothing."""

import datetime as dt
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from nifos_stream.alerts.recorded import Recorded
from nifos_stream.commands.labelled import LabelledTopic
from nifos_stream.counters import fields
from nifos_stream.counters.event import NotAnEvent, decode
from nifos_stream.counters.shapes import Count
from nifos_stream.errors import UserError
from nifos_stream.files import ALIASES, Columns, Reject, Table
from nifos_stream.files.dates import rfc3339
from nifos_stream.messages import LABELS, LABELS_KO
from nifos_stream.settings import Settings

DIMENSIONS = ("source", "channel", "keyword")
COLUMNS: dict[str, tuple[str, ...]] = {
    "time": ("time", "start", "시각", "시간", *ALIASES["created_at"]),
    "source": ALIASES["source"],
    "channel": ALIASES["channel"],
    "keyword": ALIASES["keywords"],
    **{label.value: (label.value, LABELS_KO[label]) for label in LABELS},
}
"""Names under which people, and `counts --out`, write the columns of counts."""
_ONE = {label: Count(**{label.value: 1}) for label in LABELS}


def from_file(path: Path, zone: dt.tzinfo, mapping: Mapping[str, str] | None = None) -> Recorded:
    """Read rows of `time`, any of source, channel and keyword, then negative, neutral, positive.

    What `counts --out` writes is such a file. A row counts for everything and for each value that it names.
    mapping: {field: name of its column}. UserError says which line is wrong.
    """
    series = Recorded()
    columns = Columns(mapping, COLUMNS)
    with Table(path, columns, needed="time") as table:
        if table.columns is not None:
            _refuse_missing(columns.resolve(table.columns), table.name)
        for row in table:
            try:
                if isinstance(row, Reject):
                    raise ValueError(row.reason)
                _add(
                    series,
                    {field: row.values[name] for name, field in columns.resolve(row.values).items()},
                    zone,
                )
            except ValueError as error:
                raise UserError(f"{table.name}, {table.unit} {row.line}: {error}.") from None
    return series


def _refuse_missing(found: Mapping[str, str], file: str) -> None:
    if missing := [label.value for label in LABELS if label.value not in found.values()]:
        raise UserError(f"{file} has no column {', '.join(missing)}.")


def from_topic(settings: Settings, start: float, end: float) -> Recorded:
    """Count the labelled events that were written in [start, end). UserError; BrokerUnavailable."""
    series = Recorded()
    with closing(LabelledTopic(settings)) as topic:
        for record in topic.between(topic.starts, topic.ends):
            try:
                event = decode(record.value, settings.zone, settings.counters.future_tolerance_seconds)
            except NotAnEvent:
                continue
            if start <= event.time < end:
                said = event.signature
                values = {"source": (said.source,), "channel": (said.channel,), "keyword": said.keywords}
                series.add(event.time, _ONE[LABELS[said.label]], _read(values))
    return series


def _add(series: Recorded, row: Mapping[str, Any], zone: dt.tzinfo) -> None:
    numbers = [_number(row, label.value) for label in LABELS]
    moment = rfc3339(row.get("time"), zone)
    if moment is None:
        raise ValueError("has no time")
    values = {name: (value,) for name in DIMENSIONS if (value := str(row.get(name) or "").strip())}
    series.add(dt.datetime.fromisoformat(moment).timestamp(), Count(*numbers), values)


def _number(row: Mapping[str, Any], name: str) -> int:
    written = row.get(name)
    try:
        number = int(written or 0)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {str(written)[:40]!r} is not a number") from None
    if number < 0:
        raise ValueError(f"{name}: a count is negative")
    return number


def _read(values: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(fields.read(value) for value in written if value) for name, written in values.items()}
