"""`counts`: what was counted, of a window or of all time, as a table or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from rich.console import Console
from rich.text import Text

from nifos_stream.counters.reader import Counts
from nifos_stream.counters.shapes import Count, Total, Window
from nifos_stream.errors import UserError
from nifos_stream.files import parse_mapping
from nifos_stream.messages import LABELS
from nifos_stream.settings import Settings
from nifos_stream.watch import freshness, tables
from nifos_stream.watch.look import label_text, net_text, percent, plain, share_bar, sparkline
from nifos_stream.watch.snapshot import open_counts

_TREND_CELLS = 60
_SHARE_BAR_CELLS = 40
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
    DIMENSION=VALUE. grain: that of the series. total: of all time.
    """

    window: str | None = None
    by: str | None = None
    where: Sequence[str] = ()
    start: str | None = None
    end: str | None = None
    grain: str | None = None
    total: bool = False


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
        if question.window or question.start or question.end or question.grain:
            raise UserError("--total is of all time; it takes no window, no dates and no grain.")
        return reader.total(question.by, where=where_of(question))
    return reader.window(**asked_of(question))


def where_of(question: Question) -> dict[str, str]:
    """The filter by dimension. UserError when it is none."""
    return dict(parse_mapping(question.where, "--where", "keyword=산불"))


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
        "grain": question.grain,
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
    lines = [Text(_what(answer, question), style="bold"), *_summary(answer.total)]
    if isinstance(answer, Window) and len(answer.series) > 1:
        trend = min(_TREND_CELLS, cells - 20)
        spark = sparkline(tables.resampled(tables.totals(answer.series), trend), trend)
        lines.append(Text(f"{spark.strip()} posts by {answer.step}", style="dim"))
    if isinstance(answer, Window) and question.grain is not None:
        form = _STEP_FORMS.get(question.grain, "%Y-%m-%d %H:%M:%S")
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
