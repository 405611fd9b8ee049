"""How sentiment looks in a terminal: colours, signs, bars, sparklines, safe text. Reads nothing."""

import contextlib
import datetime as dt
import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from nifos_stream.messages import LABELS, LABELS_KO, Label

# Orange and blue of Okabe and Ito's palette, a little lighter: colour-blind people tell them apart, and they
# can be read on dark and light screens. The sign says the label where there is no colour at all.
COLOURS: dict[Label, str] = {Label.NEGATIVE: "#e06c00", Label.NEUTRAL: "#8c8c8c", Label.POSITIVE: "#2f8fd8"}
SIGNS: dict[Label, str] = {Label.NEGATIVE: "−", Label.NEUTRAL: "·", Label.POSITIVE: "+"}

_SPARKS = "▁▂▃▄▅▆▇█"
_NOTHING = "·"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SPACES = str.maketrans(dict.fromkeys("\t\n\v\f\r\x85\u2028\u2029", " "))
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs"}
_JOINER = "\u200d"  # Holds the parts of one emoji together.


def plain(text: str) -> str:
    """Text that a stranger wrote, on one line and without anything that a terminal would obey.

    Control characters (also the invisible ones that turn the direction of writing) are left out; Hangul is
    composed, so that its width is what a terminal shows.
    """
    shown = unicodedata.normalize("NFC", text.translate(_SPACES))
    if shown.isprintable():
        return shown
    return "".join(
        character
        for character in shown
        if character == _JOINER or unicodedata.category(character) not in _HIDDEN_CATEGORIES
    )


def fitted(text: str, cells: int) -> str:
    """Text in exactly so many terminal cells, cut with … where it must be; a Hangul syllable takes two."""
    if cell_len(text) <= cells:
        return set_cell_size(text, cells)
    return set_cell_size(text, cells - 1).rstrip() + "…" if cells > 1 else "…"[:cells]


def label_text(label: Label) -> Text:
    """The sign and the Korean name of a label, in its colour."""
    return Text().append(f"{SIGNS[label]} {LABELS_KO[label]}", style=f"bold {COLOURS[label]}")


def share_bar(shares: Sequence[float], cells: int) -> Text:
    """One bar of `cells` cells in three colours: the shares of LABELS in their order; empty without posts."""
    bar = Text()
    if sum(shares) <= 0:
        return Text(" " * cells)
    done, reached = 0, 0.0
    for label, share in zip(LABELS, shares, strict=True):
        reached += share
        end = cells if label is LABELS[-1] else round(reached * cells)
        bar.append(_FILLS[label] * (end - done), style=COLOURS[label])
        done = end
    return bar


# Three shades, so that the parts can be told apart without colour too.
_FILLS = {Label.NEGATIVE: "█", Label.NEUTRAL: "░", Label.POSITIVE: "▓"}


def single_bar(share: float, cells: int, colour: str) -> Text:
    """A bar whose length is a share of `cells`, to an eighth of a cell."""
    eighths = round(min(1.0, max(0.0, share)) * cells * 8)
    whole, rest = divmod(eighths, 8)
    bar = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return Text().append(bar, style=colour).append("·" * (cells - len(bar)), style="dim")


def sparkline(values: Sequence[float | None], cells: int) -> str:
    """The last `cells` values as small columns, up to the greatest; 0 is a point, None a gap."""
    shown = list(values)[-cells:]
    top = max((value for value in shown if value is not None), default=0)
    columns = "".join(_column(value, top) for value in shown)
    return columns.rjust(cells)


def _column(value: float | None, top: float) -> str:
    if value is None:
        return " "
    if top <= 0 or value <= 0:
        return _NOTHING
    return _SPARKS[min(len(_SPARKS) - 1, int(value / top * len(_SPARKS)))]


def net_text(net: float | None) -> Text:
    """Net sentiment, signed unless it is 0.00, in the colour of its side."""
    if net is None:
        return Text("–", style="dim")
    label = Label.POSITIVE if net > 0.005 else Label.NEGATIVE if net < -0.005 else Label.NEUTRAL
    written = "0.00" if abs(net) < 0.005 else f"{net:+.2f}".replace("-", "−")
    return Text(written, style=COLOURS[label])


def percent(share: float) -> str:
    """A share as people read it: no decimals but where they are all there is."""
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def rate(number: float) -> str:
    """Posts per minute: a decimal where it is small."""
    return f"{number:.1f}" if 0 < number < 9.95 else f"{number:,.0f}"


def age(seconds: float) -> str:
    """A length of time in the largest unit that says it well."""
    for unit_seconds, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit_seconds:
            return f"{seconds / unit_seconds:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def moment(when: dt.datetime, now: dt.datetime) -> str:
    """Day and time in the zone of `now`, in eleven cells; of another year, the year instead of the time."""
    # The first and the last day that a date can be of have no other zone.
    with contextlib.suppress(OverflowError):
        when = when.astimezone(now.tzinfo)
    if when.year != now.year:
        return f"{when.date()} "
    return f"{when:%m-%d %H:%M}"
