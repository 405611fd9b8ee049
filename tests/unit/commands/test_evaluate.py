import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from nifos_stream.commands.evaluate import EvaluateOptions, run_evaluate
from nifos_stream.errors import UserError
from nifos_stream.settings import ModelSettings
from nifos_stream.training import plots
from tests.models import make_model_dir


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ModelSettings:
    directory = make_model_dir(tmp_path_factory.mktemp("model") / "tiny")
    return ModelSettings(path=str(directory), dtype="fp32", device="cpu")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.test.tsv"
    texts = ["숲길이 좋다", "산이 별로", "그저 길", "정말 숲"]
    lines = [f"{text} {label}\t{label}\t{'ab'[label == 1]}" for text in texts for label in range(3)]
    path.write_text("\n".join(["text\tlabel\tsource", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser takes seconds; its pictures are tested with the plots."""
    monkeypatch.setattr(plots.go.Figure, "write_image", lambda *_, **__: None)
    monkeypatch.setattr(plots, "_has_korean_font", lambda: True)


def said(file: Path, settings: ModelSettings, options: EvaluateOptions) -> str:
    console = Console(file=io.StringIO(), soft_wrap=True, width=80)
    run_evaluate(file, settings, options, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_figures_and_the_surest_mistakes_are_json(rows: Path, settings: ModelSettings):
    facts = json.loads(said(rows, settings, EvaluateOptions(as_json=True, mistakes=3)))
    assert {"accuracy", "macro_f1", "ece", "binary_accuracy", "by_source"} <= set(facts)
    assert set(facts["by_source"]) == {"a", "b"}
    wrong = facts["mistakes"]
    assert len(wrong) == 3
    assert [set(one) for one in wrong] == [{"text", "label", "said", "score", "source"}] * 3
    assert all(one["label"] != one["said"] for one in wrong)
    assert [one["score"] for one in wrong] == sorted((one["score"] for one in wrong), reverse=True)
    assert sum(one["rows"] for one in facts["reliability"]) == facts["rows"] == 12
    assert "plots" not in facts


def test_a_person_sees_tables_by_source_and_label_and_the_texts(rows: Path, settings: ModelSettings):
    told = said(rows, settings, EvaluateOptions(mistakes=2))
    assert "12 rows" in told
    assert "부정" in told
    assert "Wrong where it was most sure" in told
    assert max(map(len, told.splitlines())) <= 80
    assert "Wrong where" not in said(rows, settings, EvaluateOptions(mistakes=0))


def test_plots_are_drawn_where_they_were_asked_for(rows: Path, settings: ModelSettings, tmp_path: Path):
    folder = tmp_path / "plots"
    facts = json.loads(said(rows, settings, EvaluateOptions(as_json=True, plots=folder)))
    assert {name: Path(one["html"]) for name, one in facts["plots"].items()} == {
        "confusion": folder / "rows-confusion.html",
        "reliability": folder / "rows-reliability.html",
    }
    assert all(Path(one["html"]).exists() for one in facts["plots"].values())
    assert f"plot: {folder / 'rows-confusion.html'}" in said(rows, settings, EvaluateOptions(plots=folder))


def test_where_no_plot_can_be_kept_nothing_is_labelled(rows: Path):
    with pytest.raises(UserError, match="cannot be a directory of plots"):
        said(rows, ModelSettings(path="/nowhere"), EvaluateOptions(plots=rows / "plots"))


def test_a_file_without_rows_is_one_sentence(settings: ModelSettings, tmp_path: Path):
    (tmp_path / "empty.tsv").write_text("text\tlabel\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"empty\.tsv"):
        said(tmp_path / "empty.tsv", settings, EvaluateOptions())
