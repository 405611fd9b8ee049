import json
from pathlib import Path

import pytest

from nifos_stream.commands import train
from nifos_stream.commands.train import TrainOptions, run_train
from nifos_stream.errors import UserError

ROWS = "sentence,sentiment\n" + "".join(f"글 {n},{n % 3}\n" for n in range(30))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"base": "/nowhere/base"}, "does not exist"),
        ({"class_weight": ["기쁨=2"]}, "is not one of"),
        ({"class_weight": ["부정=viel"]}, "is not NAME=NUMBER"),
        ({"source_weight": ["blog=2"]}, "sources are all"),
        ({"source_weight": ["all=-1"]}, "not a weight"),
        ({"clean": "nfc,polish"}, "Cleaning steps are"),
        ({"labels": "부정,긍정"}, "each once"),
        ({"valid_share": 0.001}, "both are needed"),
        ({"device": "cuda"}, "CUDA"),
        ({"valid": Path("/nowhere/valid.csv")}, "no such file"),
    ],
)
def test_wrong_use_is_one_sentence_before_anything_is_trained(rows: Path, tmp_path: Path, options, sentence):
    given = {"base": str(tmp_path), "device": "cpu", "dtype": "fp32"} | options
    with pytest.raises(UserError, match=sentence):
        run_train(rows, TrainOptions(out=tmp_path / "model", **given))
    assert not (tmp_path / "model").exists()


def test_a_training_goes_on_in_the_arithmetic_it_began_with(tmp_path: Path):
    started = tmp_path / "checkpoints" / "started.json"
    started.parent.mkdir()
    for precision in ("bf16", "fp32"):
        started.write_text(json.dumps({"precision": precision}), encoding="utf-8")
        assert train._precision(TrainOptions(out=tmp_path, device="cpu")) == precision
    assert train._precision(TrainOptions(out=tmp_path, device="cpu", dtype="bf16")) == "bf16"


def test_a_finished_model_is_not_trained_over(rows: Path, tmp_path: Path):
    (tmp_path / "nifos.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="already holds a model"):
        run_train(rows, TrainOptions(out=tmp_path))
    with pytest.raises(UserError, match="is a file"):
        run_train(rows, TrainOptions(out=rows))
