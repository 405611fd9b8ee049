"""Counts by minute for a replay of alert rules: of a CSV file, or of the labelled topic. Judges nothing."""

import csv
import datetime as dt
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from nifos_stream.alerts.recorded import Recorded
from nifos_stream.commands.labelled import LabelledTopic
from nifos_stream.counters import fields
from nifos_stream.counters.event import NotAnEvent, decode
from nifos_stream.counters.shapes import Count
from nifos_stream.counters.windows import instant
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS
from nifos_stream.settings import Settings

DIMENSIONS = ("source", "channel", "keyword")
_ONE = {label: Count(**{label.value: 1}) for label in LABELS}


def from_csv(path: Path, zone: dt.tzinfo) -> Recorded:
    """Read rows of `time`, any of source, channel and keyword, then negative, neutral, positive.

    A row counts for everything and for each value that it names. UserError says which line is wrong.
    """
    series = Recorded()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            names = rows.fieldnames or ()
            if missing := [name for name in ("time", *LABELS) if name not in names]:
                raise UserError(f"{path} has no column {', '.join(missing)}.")
            for row in rows:
                try:
                    _add(series, row, zone)
                except (UserError, ValueError, TypeError) as error:
                    said = str(error).rstrip(".")
                    raise UserError(f"{path}, line {rows.line_num}: {said}.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no CSV in UTF-8: {error}.") from None
    return series


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


def _add(series: Recorded, row: Mapping[str, str], zone: dt.tzinfo) -> None:
    numbers = [int(row[label.value] or 0) for label in LABELS]
    if min(numbers) < 0:
        raise ValueError("a count is negative")
    time = row["time"].strip()
    seconds = float(time) if time.replace(".", "", 1).isdigit() else instant(time, zone)
    values = {name: (value,) for name in DIMENSIONS if (value := (row.get(name) or "").strip())}
    series.add(seconds, Count(*numbers), values)


def _read(values: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(fields.read(value) for value in written if value) for name, written in values.items()}
