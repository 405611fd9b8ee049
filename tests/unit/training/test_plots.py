from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from nifos_stream.training import evaluate, history, lengths, plots

STATE = {
    "best_global_step": 2,
    "log_history": [
        {"step": 1, "epoch": 0.5, "loss": 1.1, "accuracy": 0.3, "learning_rate": 1e-3, "grad_norm": 1.0},
        {"step": 2, "epoch": 1.0, "loss": 0.9, "accuracy": 0.5, "learning_rate": 1e-3, "grad_norm": 1.0},
        {
            "step": 2,
            "epoch": 1.0,
            "eval_loss": 0.8,
            "eval_accuracy": 0.7,
            "eval_macro_f1": 0.6,
            "eval_macro_precision": 0.65,
            "eval_macro_recall": 0.61,
        },
        {"step": 3, "epoch": 1.5, "loss": 0.7, "accuracy": 0.8, "learning_rate": 1e-3},
        {"step": 4, "epoch": 2.0, "loss": 0.6, "accuracy": 0.9, "learning_rate": 1e-3},
        {
            "step": 4,
            "epoch": 2.0,
            "eval_loss": 0.9,
            "eval_accuracy": 0.6,
            "eval_macro_f1": 0.5,
            "eval_macro_precision": 0.5,
            "eval_macro_recall": 0.5,
        },
    ],
}


def traces(figure: go.Figure, name: str) -> list[go.Bar]:
    return [trace for trace in figure.data if str(trace.name).startswith(name)]


def test_kept_and_cut_texts_have_two_colours_and_the_ends_are_marked():
    figure = plots.lengths_figure(lengths.measure([3] * 96 + [40] * 4, 0.96))
    (kept,), (cut,) = traces(figure, "kept whole (96)"), traces(figure, "cut (4)")
    assert (list(kept.x), list(kept.y), list(cut.x), list(cut.y)) == ([3], [96], [40], [4])
    assert kept.marker.color != cut.marker.color
    said = {note.text for note in figure.layout.annotations}
    assert {"min 3", "max 40", "96.0% fit in 3"} <= said
    assert {shape.x0 for shape in figure.layout.shapes} == {3, 40}


def test_training_is_drawn_by_step_and_validation_by_epoch():
    figure = plots.training_figure(history.of(STATE))
    each = traces(figure, "training, each step")
    assert [list(trace.y) for trace in each] == [[1.1, 0.9, 0.7, 0.6], [0.3, 0.5, 0.8, 0.9]]
    valid = traces(figure, "validation")
    assert [(list(trace.x), list(trace.y)) for trace in valid] == [([2, 4], [0.8, 0.9]), ([2, 4], [0.7, 0.6])]
    assert [list(trace.y) for trace in traces(figure, "kept")] == [[0.8], [0.7]]


def test_the_summary_says_which_epoch_was_kept_and_why_it_ended():
    gone = history.of(STATE)
    said = history.summary(gone, patience=1, epochs=50, stop_on="accuracy")
    assert "accuracy had not improved for 1 epochs. Epoch 1 was kept." in said
    assert "    1  1.0000  0.4000    0.8000  0.7000    0.6000  0.6500  0.6100  kept" in said
    assert "all 2 epochs were run" in history.summary(gone, patience=3, epochs=2, stop_on="accuracy")


def test_the_page_needs_no_network_and_the_picture_is_a_png(tmp_path: Path):
    saved = plots.save(plots.training_figure(history.of(STATE)), tmp_path / "deep" / "training")
    page = saved.page.read_text(encoding="utf-8")
    assert "plotly.js v" in page
    assert "<script src=" not in page
    if saved.picture is None:
        pytest.skip(str(saved.problem))
    assert saved.picture.read_bytes().startswith(b"\x89PNG")


def test_without_a_browser_the_page_is_written_and_one_sentence_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def no_browser(*_: object, **__: object) -> None:
        raise RuntimeError("Kaleido requires Google Chrome to be installed.")

    monkeypatch.setattr(go.Figure, "write_image", no_browser)
    (tmp_path / "training.png").write_bytes(b"of an older training")
    saved = plots.save(plots.training_figure(history.of(STATE)), tmp_path / "training")
    assert saved.page.exists()
    assert saved.picture is None
    assert "apt install chromium" in str(saved.problem)
    assert not (tmp_path / "training.png").exists()


LABELS = np.array([0, 0, 0, 1, 2])
TOLD = np.array([[0.9, 0.1, 0], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.3, 0.4, 0.3], [0, 0.05, 0.95]])


def test_a_confusion_matrix_counts_each_row_and_shades_by_the_share_of_its_label():
    figure = plots.confusion_figure(evaluate.figures(LABELS, TOLD))
    (cells,) = figure.data
    assert list(cells.x) == ["부정 negative", "중립 neutral", "긍정 positive"]
    assert cells.y[0] == "부정 negative<br>3 rows"
    assert list(cells.text[0]) == ["2<br>67%", "0<br>0%", "1<br>33%"]
    assert list(cells.z[0]) == pytest.approx([2 / 3, 0, 1 / 3])
    assert figure.layout.yaxis.autorange == "reversed"


def test_reliability_is_drawn_beside_what_it_should_be():
    bins = evaluate.reliability(TOLD.max(1), TOLD.argmax(1) == LABELS)
    figure = plots.reliability_figure(bins, 0.1)
    right, rows = (trace for trace in figure.data if trace.type == "bar")
    assert list(right.y) == [1.0, 0.0, 1.0, 1.0, 1.0]
    assert list(rows.y) == [1, 1, 1, 1, 1]
    (should,) = traces(figure, "scores that mean")
    assert (list(should.x), list(should.y)) == ([0, 1], [0, 1])


@pytest.mark.parametrize("known", [True, False])
def test_a_picture_has_korean_letters_where_a_font_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
):
    told = evaluate.figures(LABELS, TOLD)
    drawn: list[go.Figure] = []
    monkeypatch.setattr(go.Figure, "write_image", lambda figure, *_, **__: drawn.append(figure))
    monkeypatch.setattr(plots, "_has_korean_font", lambda: known)
    plain = plots.confusion_figure(told, korean=False)
    saved = plots.save(plots.confusion_figure(told), tmp_path / "rows", without_korean=plain)
    assert drawn[0].data[0].x[0] == ("부정 negative" if known else "negative")
    assert saved.problem == (None if known else plots.NO_FONT)
    page = saved.page.read_text(encoding="utf-8")
    assert "부정" in page or "\\ubd80\\uc815" in page  # As JSON, which may spell it either way.
