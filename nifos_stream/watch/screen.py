"""A snapshot as lines of a terminal. Reads nothing and waits for nothing."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from nifos_stream.counters.shapes import Count, Point, Window
from nifos_stream.messages import LABELS, LABELS_KO, Label
from nifos_stream.watch import freshness, tables
from nifos_stream.watch.look import COLOURS, age, label_text, net_text, percent, rate, single_bar, sparkline
from nifos_stream.watch.snapshot import Snapshot

WINDOWS = {"1": "5m", "2": "1h", "3": "24h", "4": "7d"}
"""Window by key."""
_WIDE_CELLS = 130
_MOST_CELLS = 180
_GAP_CELLS = 3
_TREND_CELLS = 16
_GREY = Style(color="grey58")
_HELP = "nifos-stream produce FILE sends posts, nifos-stream worker labels and counts them."


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn: a snapshot, and how to draw it.

    away: why nothing newer could be read, a sentence; None while reading works. rows: most lines, None for as
    many as there are. keys: say which keys there are.
    """

    snapshot: Snapshot
    cells: int
    rows: int | None = None
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
    top += [*_labels(snapshot, cells), _numbers(snapshot), *_sparks(snapshot.window, cells)]
    bottom = [Text(), _all_time(snapshot), *([_keys(snapshot)] if view.keys else [])]
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
        line.append(f" {percent(share):>5} {total.of(label):>11,} ")
        if before.total:
            line.append(f"  was {percent(before.share(label)):>5}", style="dim")
        lines.append(line)
    return lines


def _numbers(snapshot: Snapshot) -> Text:
    total, before = snapshot.window.total, snapshot.before.total if snapshot.before else Count()
    line = Text().append(f"{total.total:,} {'post' if total.total == 1 else 'posts'}", style="bold")
    if before.total:
        line.append(f" (was {before.total:,})", style="dim")
    line.append(f"   {rate(snapshot.per_minute)} a minute now   net ")
    line.append_text(net_text(total.net_sentiment))
    if before.total:
        line.append(" (was ", style="dim").append_text(net_text(before.net_sentiment))
        line.append(")", style="dim")
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


def _all_time(snapshot: Snapshot) -> Text:
    total = snapshot.all_time.total
    if not total.total:
        return Text(f"Nothing has been counted yet: {_HELP}")
    line = Text().append(f"all {total.total:,} posts ", style="dim")
    for label in LABELS:
        line.append_text(label_text(label)).append(f" {percent(total.share(label))}  ")
    return line.append(freshness.since(snapshot.all_time.freshness), style="dim")


def _keys(snapshot: Snapshot) -> Text:
    line = Text().append("keys ", style="dim")
    for key, window in WINDOWS.items():
        line.append(f" {key} {window} ", style="reverse" if window == snapshot.asked else "dim")
    return line.append("  q quit", style="dim")
