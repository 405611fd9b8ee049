"""Counts as a table for people and as JSON for programs. Reads nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from nifos_stream.counters.shapes import Count, Point
from nifos_stream.messages import LABELS
from nifos_stream.watch.look import fitted, net_text, plain, share_bar, sparkline

_NUMBER_CELLS = 9
_NET_CELLS = 6
_LEAST_BAR_CELLS = 8
_MOST_BAR_CELLS = 30
_LEAST_NAME_CELLS = 8
_MOST_NAME_CELLS = 24
OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a value, its count, and its posts over time, if they were read."""

    name: str
    count: Count
    trend: Sequence[float] | None = None


def lines(
    groups: Mapping[str, Count],
    other: Count,
    trends: Mapping[str, Sequence[float]] | None = None,
    most: int | None = None,
) -> list[Line]:
    """The largest groups, at most `most`, and what had no place of its own."""
    shown = [Line(name, count, (trends or {}).get(name)) for name, count in groups.items()]
    rest = [Line(OTHER, other)] if other.total else []
    if most is not None and len(shown) + len(rest) > most:
        shown = shown[: max(0, most - len(rest))]
    return shown + rest


def table(title: str, rows: Sequence[Line], cells: int, trend_cells: int = 0) -> list[Text]:
    """A header and a line for each row, each `cells` wide: name, posts, shares as a bar, net, trend.

    trend_cells: width of the sparklines; 0 leaves them out.
    """
    numbers = _NUMBER_CELLS + _NET_CELLS + 3 + (trend_cells + 1 if trend_cells else 0)
    name_cells = min(_MOST_NAME_CELLS, max(_LEAST_NAME_CELLS, (cells - numbers) // 2))
    bar_cells = min(_MOST_BAR_CELLS, max(_LEAST_BAR_CELLS, cells - numbers - name_cells))
    header = (
        f"{fitted(title, name_cells)} {'posts':>{_NUMBER_CELLS}} {'− · +':<{bar_cells}} {'net':>{_NET_CELLS}}"
    )
    header += f" {'posts over time':<{trend_cells}}"[: trend_cells + 1] if trend_cells else ""
    shown = [Text(header, style="dim")]
    for row in rows:
        line = Text(f"{fitted(plain(row.name), name_cells)} {row.count.total:>{_NUMBER_CELLS},} ")
        line.append_text(share_bar(shares(row.count), bar_cells)).append(" ")
        net = net_text(row.count.net_sentiment)
        line.append(" " * (_NET_CELLS - net.cell_len)).append_text(net)
        if trend_cells and row.trend is not None:
            line.append(" ").append(sparkline(resampled(row.trend, trend_cells), trend_cells))
        shown.append(line)
    return shown


def shares(count: Count) -> list[float]:
    """Share of each label, in the order of LABELS."""
    return [count.share(label) for label in LABELS]


def totals(series: Sequence[Point]) -> list[float]:
    """Posts of each step."""
    return [float(point.count.total) for point in series]


def resampled(values: Sequence[float], cells: int) -> list[float]:
    """At most `cells` means of neighbours, of nearly equally many values each."""
    if len(values) <= cells:
        return list(values)
    edges = [round(index * len(values) / cells) for index in range(cells + 1)]
    return [sum(values[first:last]) / (last - first) for first, last in pairwise(edges)]


def as_json(count: Count) -> dict[str, object]:
    """A count as JSON has it."""
    net = count.net_sentiment
    return {**labels_json(count), "net_sentiment": None if net is None else round(net, 6)}


def labels_json(count: Count) -> dict[str, object]:
    """The numbers of a count alone."""
    return {**dict(_by_label(count)), "total": count.total}


def _by_label(count: Count) -> Iterator[tuple[str, int]]:
    return ((label.value, count.of(label)) for label in LABELS)
