import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from nifos_stream.commands.lengths import LengthsOptions, run_lengths
from nifos_stream.errors import UserError
from nifos_stream.training import plots
from tests.models import make_model_dir


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("model") / "tiny"
    make_model_dir(directory)
    return str(directory)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.tsv"
    lines = ["sentence\tsentiment", *["숲\t긍정"] * 96, *["숲 길 산\t부정"] * 4, "\t중립"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser takes seconds; its pictures are tested with the plots."""
    monkeypatch.setattr(plots.go.Figure, "write_image", lambda *_, **__: None)


def said(file: Path, options: LengthsOptions) -> str:
    console = Console(file=io.StringIO(), soft_wrap=True, width=200)
    run_lengths(file, options, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_shortest_length_for_the_share_and_its_padding_are_said(
    model: str, reviews: Path, tmp_path: Path
):
    facts = json.loads(said(reviews, LengthsOptions(model=model, plots=tmp_path / "plots", as_json=True)))
    assert (facts["texts"], facts["min"], facts["max"], facts["length"]) == (100, 3, 5, 3)
    assert (facts["kept"], facts["cut"], facts["coverage"], facts["padding_waste"]) == (96, 4, 0.96, 0.0)
    assert Path(facts["html"]) == tmp_path / "plots" / "reviews-lengths.html"
    assert Path(facts["html"]).exists()


def test_people_are_told_in_sentences(model: str, reviews: Path, tmp_path: Path):
    told = said(reviews, LengthsOptions(model=model, coverage=1.0, plots=tmp_path))
    assert "100 texts of 3 to 5 tokens" in told
    assert "to keep 100.0% of them whole takes 5 tokens: 100 (100.00%) are whole then, 0 are cut" in told
    assert "would waste 38% of the arithmetic" in told


def test_nothing_is_drawn_unasked(model: str, reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert "plot" not in said(reviews, LengthsOptions(model=model))
    assert json.loads(said(reviews, LengthsOptions(model=model, as_json=True)))["html"] is None
    assert list(tmp_path.iterdir()) == [reviews]


def test_wrong_use_is_one_sentence(model: str, reviews: Path, tmp_path: Path):
    with pytest.raises(UserError, match="not a share"):
        said(reviews, LengthsOptions(model=model, coverage=96))
    with pytest.raises(UserError, match="does not exist"):
        said(reviews, LengthsOptions(model="/nowhere/model"))
    with pytest.raises(UserError, match="no column"):
        said(reviews, LengthsOptions(model=model, column=["text=본문"]))
    (tmp_path / "empty.tsv").write_text("sentence\tsentiment\n\t1\n", encoding="utf-8")
    with pytest.raises(UserError, match="no row with a text"):
        said(tmp_path / "empty.tsv", LengthsOptions(model=model, plots=tmp_path))
