"""`counts`: what was counted, of a window or of all time, as a table or as JSON."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from rich.console import Console
from rich.text import Text

from nifos_stream.commands.moments import moment
from nifos_stream.counters.reader import Counts
from nifos_stream.counters.shapes import Count, Total, Window
from nifos_stream.counters.wanted import read_where
from nifos_stream.counters.windows import seconds_of
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS
from nifos_stream.settings import Settings
from nifos_stream.watch import freshness, tables
from nifos_stream.watch.look import label_text, net_text, percent, plain, share_bar, sparkline
from nifos_stream.watch.snapshot import open_counts

_TREND_CELLS = 60
_SHARE_BAR_CELLS = 40
NO_STEPS = "none"
"""The grain of an answer that is one sum."""
_WHOLE = {
    "10s": "ten seconds",
    "1m": "minutes",
    "1h": "hours",
    "1d": "days",
    "month": "months",
    "year": "years",
}
_LEAST_WIDENED_SECONDS = 60
_STEP_FORMS = {
    "year": "%Y",
    "month": "%Y-%m",
    "1d": "%Y-%m-%d",
    "1h": "%Y-%m-%d %H:%M",
    "1m": "%Y-%m-%d %H:%M",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line asks.

    window: 15m, 24h, 7d, …; start and end: dates or times, instead of it. by: a dimension; where:
    DIMENSION=VALUE. grain: that of the series, or NO_STEPS. total: of all time.
    """

    window: str | None = None
    by: str | None = None
    where: Sequence[str] = ()
    start: str | None = None
    end: str | None = None
    grain: str | None = None
    total: bool = False

    def dated(self, zone: dt.tzinfo) -> "Question":
        """The same with its dates in RFC 3339. UserError when they are none."""
        return replace(self, start=moment(self.start, zone), end=moment(self.end, zone))


class Asked(TypedDict):
    """The arguments of Counts.window and Counts.steps."""

    window: str
    by: str | None
    where: dict[str, str]
    start: str | None
    end: str | None
    grain: str | None


def counts(
    settings: Settings, question: Question, *, as_json: bool = False, out: Console | None = None
) -> None:
    """Print the answer. RedisAway when Redis does not answer; UserError for what cannot be asked."""
    out = out or Console(highlight=False)
    question = question.dated(settings.zone)
    with open_counts(settings) as reader:
        answer = ask(reader, question)
    if as_json:
        out.print(Text(json.dumps(answer_json(answer), ensure_ascii=False)), soft_wrap=True)
        return
    for line in shown(answer, question, out.width):
        out.print(line, soft_wrap=True)


def ask(reader: Counts, question: Question) -> Window | Total:
    """The answer to a question. UserError when it contradicts itself."""
    if question.total:
        return total_of(reader, question)
    return reader.window(**asked_of(question))


def total_of(reader: Counts, question: Question) -> Total:
    """The answer of all time. UserError when the question asks for a time, too."""
    if question.window or question.start or question.end or question.grain not in (None, NO_STEPS):
        raise UserError("--total is of all time; it takes no window, no dates and no grain.")
    return reader.total(question.by, where=where_of(question))


def where_of(question: Question) -> dict[str, str]:
    """The filter by dimension. UserError when it is none."""
    return read_where(question.where)


def asked_of(question: Question) -> Asked:
    """What a reader is asked for a window. UserError when the question contradicts itself."""
    where = where_of(question)
    if question.window and question.start:
        raise UserError("Give a window that ends at --to, or --from and --to, not both --window and --from.")
    return {
        "window": question.window or "1h",
        "by": question.by,
        "where": where,
        "start": question.start,
        "end": question.end,
        "grain": None if question.grain == NO_STEPS else question.grain,
    }


def answer_json(answer: Window | Total) -> dict[str, object]:
    """The answer as JSON; that of all time without groups has the keys of a count and of its freshness."""
    fresh = freshness.as_json(answer.freshness)
    if isinstance(answer, Total) and answer.by is None:
        kept = {name: fresh[name] for name in ("behind", "behind_seconds", "counted_since")}
        return {**tables.labels_json(answer.total), **kept}
    shown: dict[str, object] = {}
    if isinstance(answer, Window):
        shown |= {"from": answer.start.isoformat(), "to": answer.end.isoformat()}
        shown |= {"grain": answer.grain, "step": answer.step}
    shown["total"] = tables.as_json(answer.total)
    shown["sentences"] = None if answer.sentences is None else tables.labels_json(answer.sentences)
    if answer.by is not None:
        shown["by"] = answer.by
        shown["groups"] = {name: tables.as_json(count) for name, count in answer.groups.items()}
        shown["other"] = tables.labels_json(answer.other)
    if isinstance(answer, Window):
        shown["series"] = [
            {"start": point.start.isoformat(), **tables.labels_json(point.count)} for point in answer.series
        ]
    return shown | fresh


def shown(answer: Window | Total, question: Question, cells: int) -> list[Text]:
    """The answer as lines of a terminal `cells` wide."""
    lines = [Text(_what(answer, question), style="bold")]
    if isinstance(answer, Window) and _is_wider(answer, question):
        note = f"Widened to whole {_WHOLE[answer.grain]}: a window is rounded outward."
        lines.append(Text(note, style="dim"))
    lines += _summary(answer.total)
    if isinstance(answer, Window) and len(answer.series) > 1:
        trend = min(_TREND_CELLS, cells - 20)
        spark = sparkline(tables.resampled(tables.totals(answer.series), trend), trend)
        lines.append(Text(f"{spark.strip()} posts by {answer.step}", style="dim"))
    if isinstance(answer, Window) and question.grain not in (None, NO_STEPS):
        form = _STEP_FORMS.get(answer.grain, "%Y-%m-%d %H:%M:%S")
        steps = [tables.Line(f"{point.start:{form}}", point.count) for point in answer.series]
        lines += [Text(), *tables.table(f"by {question.grain}", steps, min(cells, 100))]
    if answer.by is not None:
        # Under a filter it is not known whose they are, so they are no row.
        rows = tables.lines(answer.groups, Count() if question.where else answer.other)
        lines += [Text(), *tables.table(f"by {answer.by}", rows, min(cells, 100))]
        if answer.other.total:
            what = "Some values" if question.where else tables.OTHER
            lines.append(
                Text(f"{what} had no place of their own: the rows above are lower bounds.", style="dim")
            )
    note = freshness.sentence(answer.freshness)
    if since := freshness.since(answer.freshness):
        note += f" Counted {since}."
    return [*lines, Text(), Text(note, style="dim")]


def _what(answer: Window | Total, question: Question) -> str:
    where = " and ".join(plain(pair) for pair in question.where)
    of = f" where {where}" if where else ""
    if isinstance(answer, Total):
        return f"All time{of}"
    return f"{answer.start:%Y-%m-%d %H:%M:%S} to {answer.end:%Y-%m-%d %H:%M:%S} {answer.end:%Z}{of}"


def _is_wider(answer: Window, question: Question) -> bool:
    """An end that was stated was moved, or a length stretched to days, months or years."""
    wider = [0.0]
    zone = answer.start.tzinfo
    if question.start:
        wider.append((_aware(question.start, zone) - answer.start).total_seconds())
    elif question.grain in ("1d", "month", "year"):
        length = (answer.end - answer.start).total_seconds()
        wider.append(length - seconds_of(question.window or "1h"))
    if question.end:
        wider.append((answer.end - _aware(question.end, zone)).total_seconds())
    return max(wider) >= _LEAST_WIDENED_SECONDS


def _aware(written: str, zone: dt.tzinfo | None) -> dt.datetime:
    moment = dt.datetime.fromisoformat(written)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _summary(total: Count) -> list[Text]:
    if not total.total:
        return [Text("No posts.")]
    numbers = Text(f"{total.total:,} posts   ")
    for label in LABELS:
        numbers.append_text(label_text(label)).append(
            f" {total.of(label):,} ({percent(total.share(label))})   "
        )
    numbers.append("net ").append_text(net_text(total.net_sentiment))
    return [numbers, share_bar(tables.shares(total), _SHARE_BAR_CELLS)]
