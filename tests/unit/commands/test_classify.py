import csv
import gzip
import io
import json
import lzma
from pathlib import Path

import pytest
from openpyxl import load_workbook
from rich.console import Console

from nifos_stream.commands.classify import ClassifyOptions, run_classify
from nifos_stream.errors import UserError
from nifos_stream.model import load_model
from nifos_stream.settings import ModelSettings
from tests.models import make_model_dir

POSTS = "게시글번호,본문,지역\n1,숲이 정말 좋아요,강원\n2,길이 별로예요,경북\n3,,제주\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelSettings:
    directory = tmp_path_factory.mktemp("model") / "tiny"
    make_model_dir(directory)
    return ModelSettings(path=str(directory), dtype="fp32")


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    path = tmp_path / "posts.csv"
    path.write_text(POSTS, encoding="cp949")
    return path


def quiet() -> Console:
    return Console(file=io.StringIO(), soft_wrap=True)


def labelled(file: Path, out: Path, model: ModelSettings, **more: object) -> int:
    return run_classify((), ClassifyOptions(model=model, file=str(file), out=str(out), **more), err=quiet())  # type: ignore[arg-type]


def test_texts_are_answered_in_order_with_label_and_probabilities(model: ModelSettings):
    console = quiet()
    assert (
        run_classify(["숲이 좋아요", "별로"], ClassifyOptions(model=model, as_json=True), console=console)
        == 0
    )
    said = [json.loads(line) for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    expected = load_model(model.path, settings=model).classify(["숲이 좋아요", "별로"])
    assert [row["label"] for row in said] == [reading.label.value for reading in expected]
    assert [row["label_ko"] for row in said] == [reading.label_ko for reading in expected]
    assert [(r["negative"], r["neutral"], r["positive"]) for r in said] == [e.probabilities for e in expected]
    assert said[0]["score"] == max(expected[0].probabilities)


def test_a_table_keeps_its_columns_and_gets_ours(model: ModelSettings, posts: Path, tmp_path: Path):
    out = tmp_path / "out.csv"
    assert labelled(posts, out, model) == 1  # The third row has no text.
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ours = ["label", "label_ko", "score", "negative", "neutral", "positive", "problem"]
    assert list(rows[0]) == ["게시글번호", "본문", "지역", *ours]
    assert [row["지역"] for row in rows] == ["강원", "경북", "제주"]
    assert rows[0]["label"] in {"negative", "neutral", "positive"}
    assert sum(float(rows[0][name]) for name in ("negative", "neutral", "positive")) == pytest.approx(1)
    assert rows[2]["label"] == ""
    assert rows[2]["problem"] != ""


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.tsv.xz", "out.xlsx"])
def test_every_format_holds_the_same_rows(model: ModelSettings, posts: Path, tmp_path: Path, name: str):
    labelled(posts, tmp_path / "out.csv", model)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        expected = [row["label"] for row in csv.DictReader(file)]
    out = tmp_path / name
    labelled(posts, out, model)
    if name.endswith(".xlsx"):
        header, *rows = load_workbook(out).active.iter_rows(values_only=True)  # type: ignore[union-attr]
        found = [row[header.index("label")] or "" for row in rows]
    else:
        opened = {".gz": gzip.open, ".xz": lzma.open}.get(out.suffix, open)
        with opened(out, "rt", encoding="utf-8", newline="") as file:
            if ".tsv" in name:
                found = [row["label"] for row in csv.DictReader(file, delimiter="\t")]
            else:
                found = [json.loads(line).get("label", "") for line in file]
    assert found == expected


def test_sentences_are_rows_that_know_the_row_they_came_from(model: ModelSettings, tmp_path: Path):
    posts = tmp_path / "posts.jsonl"
    long = " ".join(f"숲길 {number}이 좋아요!" for number in range(100))
    rows = [
        {"id": "a", "text": "산이 좋아요. 길은 별로예요."},
        {"id": "b", "text": "숲"},
        {"id": "c", "text": long},
    ]
    posts.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    assert labelled(posts, out, model, sentences=True) == 0
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["row"] for row in found] == [1, 1, 2, *([3] * 100)]
    assert [row["sentence"] for row in found[:3]] == ["산이 좋아요.", "길은 별로예요.", "숲"]
    assert [row["sentence_number"] for row in found[:3]] == [1, 2, 1]
    assert [row["id"] for row in found[:3]] == ["a", "a", "b"]
    assert [row["text"] for row in found[:3]] == [rows[0]["text"], rows[0]["text"], "숲"]


def test_sentences_of_a_table_stand_before_its_columns(model: ModelSettings, posts: Path, tmp_path: Path):
    out = tmp_path / "out.csv"
    labelled(posts, out, model, sentences=True)
    header = out.read_text(encoding="utf-8").split("\n", 1)[0].split(",")
    assert header[:3] == ["row", "sentence_number", "sentence"]
    assert header[-4:] == ["게시글번호", "본문", "지역", "problem"]


def test_without_a_place_to_go_rows_are_written_to_standard_output(model: ModelSettings, posts: Path):
    stdout, err = io.StringIO(), quiet()
    run_classify((), ClassifyOptions(model=model, file=str(posts)), stdout=stdout, err=err)
    found = [json.loads(line) for line in stdout.getvalue().splitlines()]
    assert [row["지역"] for row in found] == ["강원", "경북", "제주"]
    assert "3 rows written to standard output." in err.file.getvalue()  # type: ignore[attr-defined]


def test_a_column_that_is_called_label_keeps_its_values(model: ModelSettings, tmp_path: Path):
    given, out = tmp_path / "in.tsv", tmp_path / "out.jsonl"
    given.write_text("text\tlabel\n숲이 좋아요\t내 라벨\n", encoding="utf-8")
    labelled(given, out, model)
    row = json.loads(out.read_text(encoding="utf-8"))
    assert row["label"] == "내 라벨"
    assert row["label_2"] in {"negative", "neutral", "positive"}


def test_a_text_that_looks_like_a_formula_is_a_text_in_a_sheet(model: ModelSettings, tmp_path: Path):
    given, out = tmp_path / "in.jsonl", tmp_path / "out.xlsx"
    given.write_text(json.dumps({"text": "=1+1 좋아요\u0007"}), encoding="utf-8")
    labelled(given, out, model)
    cell = load_workbook(out).active["A2"]  # type: ignore[index]
    assert (cell.value, cell.data_type) == ("=1+1 좋아요 ", "s")


def test_rows_that_cannot_be_read_are_left_out_and_counted(model: ModelSettings, tmp_path: Path):
    given, out, err = tmp_path / "in.jsonl", tmp_path / "out.jsonl", quiet()
    given.write_text('{"text": "좋아요"}\n{broken\n{"text": "별로"}\n', encoding="utf-8")
    options = ClassifyOptions(model=model, file=str(given), out=str(out))
    assert run_classify((), options, err=err) == 1
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2
    assert "line 2" in err.file.getvalue()  # type: ignore[attr-defined]


def test_many_rows_come_out_in_order(model: ModelSettings, tmp_path: Path):
    given, out = tmp_path / "in.csv", tmp_path / "out.csv"
    given.write_text("n,text\n" + "".join(f"{n},숲 {n}\n" for n in range(2000)), encoding="utf-8")
    assert labelled(given, out, model) == 0
    with out.open(encoding="utf-8", newline="") as file:
        assert [int(row["n"]) for row in csv.DictReader(file)] == list(range(2000))
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


@pytest.mark.parametrize(
    ("texts", "options", "sentence"),
    [
        ((), ClassifyOptions(), "Give texts"),
        (("숲",), ClassifyOptions(file="x.csv"), "not both"),
        ((), ClassifyOptions(out="x.csv"), "--file FILE"),
        ((), ClassifyOptions(file="x.csv", out="y.doc"), "must end in"),
        ((), ClassifyOptions(file="x.csv", out="y.xlsx.gz"), "must end in"),
        ((), ClassifyOptions(file="/nowhere/x.csv", out="y.csv"), "no such file"),
    ],
)
def test_wrong_use_is_one_sentence(texts: tuple[str, ...], options: ClassifyOptions, sentence: str):
    with pytest.raises(UserError, match=sentence):
        run_classify(texts, options, err=quiet())


def test_the_input_is_not_overwritten(model: ModelSettings, posts: Path):
    with pytest.raises(UserError, match="overwrite"):
        labelled(posts, posts, model)


def test_standard_input_to_standard_output(model: ModelSettings):
    said = io.StringIO()
    options = ClassifyOptions(model=model, file="-", out="-")
    assert (
        run_classify((), options, stdin=io.BytesIO("숲이 좋아요\n".encode()), stdout=said, err=quiet()) == 0
    )
    assert json.loads(said.getvalue())["text"] == "숲이 좋아요"
