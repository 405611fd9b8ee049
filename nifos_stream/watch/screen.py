"""A snapshot as lines of a terminal. Reads nothing and waits for nothing."""

import datetime as dt
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from nifos_stream.counters.shapes import Count, Point, Window
from nifos_stream.messages import LABELS, LABELS_KO, AlertEvent, Label
from nifos_stream.watch import freshness, tables
from nifos_stream.watch.look import (
    COLOURS,
    age,
    fitted,
    label_text,
    moment,
    net_text,
    percent,
    plain,
    rate,
    single_bar,
    sparkline,
)
from nifos_stream.watch.snapshot import Snapshot

WINDOWS = {"1": "5m", "2": "1h", "3": "24h", "4": "7d"}
"""Window by key."""
_WIDE_CELLS = 130
_MOST_CELLS = 180
_GAP_CELLS = 3
_TREND_CELLS = 16
_MOST_ALERTS = 3
_FEW_ROWS = 20
"""Fewer rows have no place for each alert."""
_GREY = Style(color="grey58")
_HELP = "nifos-stream produce FILE sends posts, nifos-stream worker labels and counts them."


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn: a snapshot, and how to draw it.

    alerts: those that are open, newest first. away: why nothing newer could be read, a sentence; None while
    reading works. rows: most lines, None for as many as there are. keys: say which keys there are.
    """

    snapshot: Snapshot
    cells: int
    rows: int | None = None
    alerts: Sequence[AlertEvent] = ()
    away: str | None = None
    keys: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines of a screen. grey: without colours, as the numbers are old."""

    lines: Sequence[Text]
    grey: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines:
            segments = console.render(line, options.update(no_wrap=True, overflow="crop"))
            if self.grey:
                segments = Segment.apply_style(Segment.remove_color(segments), post_style=_GREY)
            yield from segments


def draw(view: View, now: dt.datetime) -> Drawn:
    """The whole screen; grey, with their age, when the numbers are old. now: aware."""
    cells = min(view.cells, _MOST_CELLS)
    snapshot = view.snapshot
    old = view.away is not None or not freshness.is_current(snapshot.window.freshness)
    top = [*_title(view, now, cells, old=old), Text("─" * cells, style="dim")]
    top += [*_labels(snapshot, cells), _numbers(snapshot, cells), *_sparks(snapshot.window, cells)]
    top += _alerts(view, now.astimezone(snapshot.window.end.tzinfo), cells)
    bottom = [Text(), *_all_time(snapshot, cells), *([_keys(snapshot)] if view.keys else [])]
    room = None if view.rows is None else max(0, view.rows - len(top) - len(bottom))
    lines = [*top, *_groups(snapshot, cells, room), *bottom]
    return Drawn(lines[: view.rows], grey=old)


def _title(view: View, now: dt.datetime, cells: int, *, old: bool) -> list[Text]:
    """What is shown on the left, how current it is on the right, or below where there is no room."""
    snapshot = view.snapshot
    title = (
        Text().append(f" {snapshot.asked} ", style="bold reverse").append(f" {_span(snapshot.window, now)}")
    )
    if view.away is None:
        said = freshness.sentence(snapshot.window.freshness)
    else:
        said = f"{view.away} Numbers of {age((now - snapshot.read_at).total_seconds())} ago."
    said_text = Text(said, style="bold" if old else "dim")
    gap = cells - title.cell_len - said_text.cell_len
    if gap < 1:
        return [title, said_text]
    return [title.append(" " * gap).append_text(said_text)]


def _span(window: Window, now: dt.datetime) -> str:
    """From when to when; with the year where it is not that of now."""
    if {window.start.year, window.end.year} != {now.astimezone(window.end.tzinfo).year}:
        return f"{window.start:%Y-%m-%d %H:%M} – {window.end:%Y-%m-%d %H:%M}"
    if window.start.date() == window.end.date():
        return f"{window.start:%m-%d %H:%M} – {window.end:%H:%M}"
    return f"{window.start:%m-%d %H:%M} – {window.end:%m-%d %H:%M}"


def _labels(snapshot: Snapshot, cells: int) -> list[Text]:
    """A bar for each label: its share, its posts, and its share in the window before."""
    total, before = snapshot.window.total, snapshot.before.total if snapshot.before else Count()
    bar_cells = max(10, cells - 40)
    lines = []
    for label in LABELS:
        share = total.share(label)
        line = label_text(label).append("  ")
        line.append_text(single_bar(share, bar_cells, COLOURS[label]))
        line.append(f" {percent(share):>5} {total.of(label):>11,}")
        was = Text(f"   was {percent(before.share(label)):>5}" if before.total else "", style="dim")
        lines.append(_whole([line, was], cells))
    return lines


def _numbers(snapshot: Snapshot, cells: int) -> Text:
    total, before = snapshot.window.total, snapshot.before.total if snapshot.before else Count()
    parts = [Text(f"{total.total:,} {'post' if total.total == 1 else 'posts'}", style="bold")]
    if before.total:
        parts.append(Text(f" (was {before.total:,})", style="dim"))
    parts.append(Text(f"   {rate(snapshot.per_minute)} a minute now"))
    parts.append(Text("   net ").append_text(net_text(total.net_sentiment)))
    if before.total:
        was = Text().append(" (was ", style="dim").append_text(net_text(before.net_sentiment))
        parts.append(was.append(")", style="dim"))
    return _whole(parts, cells)


def _whole(parts: Iterable[Text], cells: int) -> Text:
    """The parts one after another, as far as they fit: a number that is cut is another number."""
    line = Text()
    for part in parts:
        if line.cell_len + part.cell_len > cells:
            break
        line.append_text(part)
    return line


def _sparks(window: Window, cells: int) -> list[Text]:
    """Posts over time, and the share of negative ones."""
    room = max(10, cells - 8)
    posts = tables.resampled(tables.totals(window.series), room)
    negative = [_negative(points) for points in _chunks(window.series, len(posts))]
    lines = Text().append("posts   ", style="dim").append(sparkline(posts, len(posts)))
    shares = Text().append(f"{LABELS_KO[Label.NEGATIVE]} %  ", style="dim")
    shares.append(sparkline(negative, len(posts)), style=COLOURS[Label.NEGATIVE])
    return [lines, shares]


def _chunks(series: Sequence[Point], count: int) -> list[Sequence[Point]]:
    edges = [round(index * len(series) / max(1, count)) for index in range(count + 1)]
    return [series[edges[index] : edges[index + 1]] for index in range(count)]


def _negative(points: Sequence[Point]) -> float | None:
    total = sum((point.count for point in points), Count())
    return total.share(Label.NEGATIVE) if total.total else None


def _alerts(view: View, now: dt.datetime, cells: int) -> list[Text]:
    """The newest open alerts, each on a line, and how many more there are; nothing without any."""
    most = _MOST_ALERTS if view.rows is None or view.rows >= _FEW_ROWS else 0
    said = [f"! {moment(alert.started_at, now)}  {plain(alert.summary)}" for alert in view.alerts[:most]]
    if more := len(view.alerts) - len(said):
        alerts = f"{'more ' if said else ''}{'alert is' if more == 1 else 'alerts are'} open"
        said.append(f"{'  and' if said else '!'} {more:,} {alerts}: nifos-stream alerts list")
    return [Text(fitted(line, cells).rstrip(), style="bold") for line in said]


def _groups(snapshot: Snapshot, cells: int, room: int | None) -> list[Text]:
    """A table for each dimension, side by side where there is room, cut to `room` lines in all."""
    if not snapshot.window.total.total:
        return [Text(), Text(f"No posts were written in the last {snapshot.asked}.")][:room]
    side_by_side = cells >= _WIDE_CELLS
    stacked = 1 if side_by_side else max(1, len(snapshot.groups))
    most = None if room is None else (room - 2 * stacked) // stacked
    width = (cells - _GAP_CELLS) // 2 if side_by_side else cells
    if most is not None and most < 1:
        return []
    parts = [
        tables.table(
            f"by {name}", tables.lines(found.groups, found.other, found.trends, most), width, _TREND_CELLS
        )
        for name, found in snapshot.groups.items()
    ]
    if not side_by_side:
        return [line for part in parts for line in (Text(), *part)]
    rows = zip_longest(*parts, fillvalue=Text())
    return [Text(), *(_beside(row, width) for row in rows)]


def _beside(row: Sequence[Text], width: int) -> Text:
    line = Text()
    for part in row:
        if line.cell_len:
            line.append(" " * _GAP_CELLS)
        line.append_text(part).append(" " * max(0, width - part.cell_len))
    return line


def _all_time(snapshot: Snapshot, cells: int) -> list[Text]:
    total = snapshot.all_time.total
    if not total.total:
        return [Text(line) for line in textwrap.wrap(f"Nothing has been counted yet: {_HELP}", cells)]
    parts = [Text(f"all {total.total:,} posts", style="dim")]
    parts += [label_text(label).append(f" {percent(total.share(label))} ") for label in LABELS]
    parts.append(Text(freshness.since(snapshot.all_time.freshness), style="dim"))
    return [_whole(_spaced(parts), cells)]


def _spaced(parts: Iterable[Text]) -> Iterator[Text]:
    """The parts, each but the first with a space before it."""
    for index, part in enumerate(parts):
        yield Text(" " if index else "").append_text(part)


def _keys(snapshot: Snapshot) -> Text:
    line = Text().append("keys ", style="dim")
    for key, window in WINDOWS.items():
        line.append(f" {key} {window} ", style="reverse" if window == snapshot.asked else "dim")
    return line.append("  q quit", style="dim")
