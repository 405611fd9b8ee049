"""Figures that people look at, written as a page that needs no network and as a picture. Knows no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from nifos_stream.training.history import History
from nifos_stream.training.lengths import Lengths

KEPT, CUT = "#2a78b5", "#d95f3b"
TRAIN, VALID = "#9ab8cf", "#c2410c"
INK, GRID = "#333333", "#e6e6e6"
# A picture takes the first of these that the machine has.
FONTS = "Noto Sans CJK KR, Noto Sans KR, NanumGothic, Malgun Gothic, Apple SD Gothic Neo, Arial, sans-serif"
WIDTH_PIXELS, HEIGHT_PIXELS = 1000, 560
SMOOTHED_OVER = 50
NO_BROWSER = (
    "There is no picture beside the page: it takes Chrome or Chromium (Debian: apt install chromium)."
)


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a figure was written. picture is None, and `problem` one sentence, when there is no browser."""

    page: Path
    picture: Path | None
    problem: str | None


def save(figure: go.Figure, stem: Path) -> Saved:
    """Write `stem`.html, which holds all that it needs, and `stem`.png, which takes a browser to draw."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    page, picture = stem.with_name(stem.name + ".html"), stem.with_name(stem.name + ".png")
    figure.write_html(page, include_plotlyjs=True)
    picture.unlink(missing_ok=True)
    try:
        figure.write_image(picture, width=WIDTH_PIXELS, height=HEIGHT_PIXELS, scale=2)
    except Exception as error:  # noqa: BLE001 - the browser fails in its own many ways; the page is there
        return Saved(page, None, _why(error))
    return Saved(page, picture, None)


def _why(error: Exception) -> str:
    if "chrome" in f"{type(error).__name__} {error}".lower() or isinstance(error, ImportError):
        return NO_BROWSER
    return f"There is no picture beside the page: the browser failed ({type(error).__name__})."


def styled(figure: go.Figure, title: str) -> go.Figure:
    """Give a figure the look that all of ours share."""
    axis: dict[str, Any] = {"gridcolor": GRID, "linecolor": INK, "zeroline": False}
    figure.update_layout(
        title={"text": title, "x": 0.02},
        font={"family": FONTS, "color": INK, "size": 14},
        plot_bgcolor="white",
        paper_bgcolor="white",
        legend={"orientation": "h", "x": 0, "y": -0.18},
        margin={"l": 70, "r": 30, "t": 70, "b": 90},
    )
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def lengths_figure(lengths: Lengths) -> go.Figure:
    """Draw how many texts have which number of tokens: kept and cut in two colours, ends marked."""
    chosen = lengths.chosen
    shown = [length for length, texts in enumerate(lengths.texts_by_length) if texts]
    figure = go.Figure()
    for label, colour, members in (
        (f"kept whole ({lengths.kept:,})", KEPT, [length for length in shown if length <= chosen]),
        (f"cut ({lengths.cut:,})", CUT, [length for length in shown if length > chosen]),
    ):
        texts = [lengths.texts_by_length[length] for length in members]
        figure.add_bar(x=members, y=texts, name=label, marker={"color": colour, "line": {"width": 0}})
    # Labels at different heights, since shortest and chosen may lie side by side.
    for place, text, height in (
        (lengths.shortest, f"min {lengths.shortest}", 1.0),
        (chosen, f"{lengths.coverage:.1%} fit in {chosen}", 0.92),
        (lengths.longest, f"max {lengths.longest}", 1.0),
    ):
        figure.add_vline(x=place, line={"dash": "dot", "width": 1.5, "color": INK})
        side = "right" if place > lengths.longest * 0.6 else "left"
        figure.add_annotation(
            x=place,
            y=height,
            yref="paper",
            text=text,
            showarrow=False,
            xanchor=side,
            xshift=-4 if side == "right" else 4,
        )
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_xaxes(title="tokens, [CLS] and [SEP] included")
    figure.update_yaxes(title="texts")
    return styled(figure, f"Token lengths of {lengths.texts:,} texts")


def training_figure(history: History) -> go.Figure:
    """Draw loss and accuracy: training by step, validation by epoch."""
    figure = make_subplots(rows=1, cols=2, subplot_titles=("loss", "accuracy"), horizontal_spacing=0.08)
    for column, name in enumerate(("loss", "accuracy"), 1):
        place = {"row": 1, "col": column}
        each = [getattr(step, name) for step in history.steps]
        numbers = [step.step for step in history.steps]
        trained = {"x": numbers, "mode": "lines", **place}
        epochs = history.epochs
        judged = {"x": [epoch.step for epoch in epochs], "y": [getattr(epoch, name) for epoch in epochs]}
        figure.add_scatter(
            y=each, name="training, each step", opacity=0.35, line={"color": TRAIN, "width": 1}, **trained
        )
        figure.add_scatter(
            y=_smoothed(each),
            name=f"training, mean of {SMOOTHED_OVER} steps",
            line={"color": KEPT, "width": 2},
            **trained,
        )
        figure.add_scatter(
            name="validation, each epoch",
            mode="lines+markers",
            line={"color": VALID, "width": 2},
            **judged,
            **place,
        )
        figure.add_scatter(
            x=[history.best.step],
            y=[getattr(history.best, name)],
            name="kept",
            mode="markers",
            marker={"color": VALID, "size": 14, "symbol": "star"},
            **place,
        )
    # Both halves share one legend.
    figure.update_traces(showlegend=False, col=2)
    figure.update_xaxes(title="step")
    return styled(figure, "Training")


def _smoothed(values: Sequence[float]) -> list[float]:
    """Mean of the last SMOOTHED_OVER values, at each place."""
    means: list[float] = []
    total = 0.0
    for place, value in enumerate(values):
        total += value - (values[place - SMOOTHED_OVER] if place >= SMOOTHED_OVER else 0.0)
        means.append(total / min(place + 1, SMOOTHED_OVER))
    return means
