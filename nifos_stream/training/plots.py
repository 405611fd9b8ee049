"""Figures that people look at, written as a page that needs no network and as a picture. Knows no model."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from nifos_stream.messages import LABELS, LABELS_KO
from nifos_stream.training.evaluate import Bin, Figures
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
NO_FONT = "The picture has no Korean in it: that takes a Korean font (Debian: apt install fonts-nanum)."
SHADES = ((0.0, "#ffffff"), (1.0, KEPT))
# Of three labels, the most probable one has at least a third.
LEAST_SCORE = 1 / 3


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a figure was written, and `problem`: one sentence on what the picture lacks.

    picture is None when there is no browser to draw it.
    """

    page: Path
    picture: Path | None
    problem: str | None


def save(figure: go.Figure, stem: Path, *, without_korean: go.Figure | None = None) -> Saved:
    """Write `stem`.html, which holds all that it needs, and `stem`.png, which takes a browser to draw.

    without_korean: what to draw where no font of this machine has Korean letters.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    page, picture = stem.with_name(stem.name + ".html"), stem.with_name(stem.name + ".png")
    figure.write_html(page, include_plotlyjs=True)
    picture.unlink(missing_ok=True)
    drawn = figure if without_korean is None or _has_korean_font() else without_korean
    try:
        drawn.write_image(picture, width=WIDTH_PIXELS, height=HEIGHT_PIXELS, scale=2)
    except Exception as error:  # noqa: BLE001 - the browser fails in its own many ways; the page is there
        return Saved(page, None, _why(error))
    return Saved(page, picture, None if drawn is figure else NO_FONT)


def _has_korean_font() -> bool:
    """Whether fontconfig knows one; where there is no fontconfig, the system brings its own fonts."""
    command = shutil.which("fc-list")
    if command is None:
        return True
    found = subprocess.run([command, ":lang=ko", "family"], capture_output=True, check=False)
    return found.returncode != 0 or bool(found.stdout.strip())


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


def confusion_figure(figures: Figures, *, korean: bool = True) -> go.Figure:
    """Draw how many rows of each label were said to be which; a cell's shade is its share of the label."""
    names = [f"{LABELS_KO[label]} {label.value}" if korean else label.value for label in LABELS]
    shares = [[count / max(1, sum(row)) for count in row] for row in figures.confusion]
    figure = go.Figure()
    figure.add_heatmap(
        z=shares,
        x=names,
        y=[f"{name}<br>{sum(row):,} rows" for name, row in zip(names, figures.confusion, strict=True)],
        text=[
            [f"{count:,}<br>{share:.0%}" for count, share in zip(*both, strict=True)]
            for both in zip(figures.confusion, shares, strict=True)
        ],
        texttemplate="%{text}",
        textfont={"size": 18},
        hovertemplate="is %{y}<br>said %{x}<br>%{text}<extra></extra>",
        colorscale=SHADES,
        zmin=0,
        zmax=1,
        xgap=3,
        ygap=3,
        showscale=False,
    )
    styled(figure, f"What {figures.rows:,} rows are, and what the model said")
    figure.update_xaxes(title="the model said", side="bottom", showgrid=False)
    figure.update_yaxes(title="the row is", autorange="reversed", showgrid=False)
    return figure.update_layout(margin={"l": 150})


def reliability_figure(bins: Sequence[Bin], ece: float) -> go.Figure:
    """Draw how often the model is right by how sure it is, and how many rows are how sure."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.05)
    bars = {
        "x": [(one.low + one.high) / 2 for one in bins],
        "width": [one.high - one.low for one in bins],
        "marker": {"color": TRAIN, "line": {"width": 1, "color": "white"}},
        "customdata": [[one.low, one.high, one.rows, one.score, one.accuracy] for one in bins],
        "hovertemplate": "score %{customdata[0]:.3f} to %{customdata[1]:.3f}: %{customdata[2]:,} rows<br>"
        "mean score %{customdata[3]:.3f}, right %{customdata[4]:.3f}<extra></extra>",
    }
    figure.add_bar(y=[one.accuracy for one in bins], name="share that is right", row=1, col=1, **bars)
    figure.add_scatter(
        x=[one.score for one in bins],
        y=[one.accuracy for one in bins],
        name="at the mean score",
        mode="lines+markers",
        line={"color": KEPT, "width": 2},
        hoverinfo="skip",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        name="scores that mean what they say",
        mode="lines",
        line={"color": VALID, "dash": "dash", "width": 2},
        hoverinfo="skip",
        row=1,
        col=1,
    )
    figure.add_bar(y=[one.rows for one in bins], showlegend=False, row=2, col=1, **bars)
    rows = sum(one.rows for one in bins)
    styled(figure, f"How sure, and how often right: {rows:,} rows, calibration error {ece:.3f}")
    least = min(LEAST_SCORE, *(one.low for one in bins))
    figure.update_xaxes(range=[least, 1], tickformat=".0%")
    figure.update_xaxes(title="score: the probability of the label that was said", row=2, col=1)
    figure.update_yaxes(title="right", range=[0, 1], tickformat=".0%", row=1, col=1)
    figure.update_yaxes(title="rows", row=2, col=1)
    return figure
