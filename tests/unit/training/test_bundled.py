"""What the making of the bundled model asks for; the rest of it runs for hours, on parts that have tests."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nifos_stream.training import bundled, stages, teacher
from nifos_stream.training.corpus import Row


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["teach", "--data", "d"], "teach needs --teacher"),
        (["train", "--data", "d", "--weights", "w"], "train needs --checkpoint"),
        (
            ["train", "--data", "d", "--weights", "w", "--checkpoint", "c", "--start", "s"],
            "train needs --teacher",
        ),
        (["export", "--data", "d", "--weights", "w", "--checkpoint", "c"], "export needs --out"),
    ],
)
def test_an_action_says_what_it_lacks(
    arguments: list[str], missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bundled.main(arguments)
    assert missing in capsys.readouterr().err


def test_a_checkpoint_says_how_much_its_stage_has_read_and_how() -> None:
    read = bundled.read_in(stages.SECOND, {"place": [10, 960, 5400.0, 0.6]})
    assert (read["steps"], read["rows_read"], read["hours"]) == (10, 960, 1.5)
    assert read["passes"] == stages.SECOND.passes
    assert read["plan"]["peak_rate"] == stages.SECOND.plan.peak_rate


@pytest.mark.parametrize(("done", "next_one"), [(1, stages.SECOND), (2, stages.THIRD), (3, stages.FOURTH)])
def test_a_model_goes_on_with_the_stage_that_its_card_does_not_name(
    tmp_path: Path, done: int, next_one: stages.Stage
) -> None:
    (tmp_path / "model_card.json").write_text(json.dumps({"training": {"stages": [{}] * done}}))
    assert bundled.stage_after(str(tmp_path)) == next_one


def test_a_model_may_be_the_mean_of_the_weights_before_and_after_its_stage() -> None:
    began, ended = {"weight": torch.tensor([0.0, 2.0])}, {"weight": torch.tensor([4.0, 2.0])}
    assert bundled.mean(began, ended, 0.5)["weight"].tolist() == [2.0, 2.0]
    assert bundled.mean(began, ended, 1.0)["weight"].tolist() == [4.0, 2.0]


def test_training_begins_with_the_first_stage_and_ends_with_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bundled.stage_after(None) == stages.FIRST
    (tmp_path / "model_card.json").write_text(json.dumps({"training": {"stages": [{}] * 4}}))
    given = ["train", "--data", "d", "--weights", "w", "--checkpoint", "c", "--teacher", "t"]
    assert bundled.main([*given, "--start", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path} has been through all 4 stages.\n"


def test_the_first_stage_learns_labels_and_the_second_what_a_teacher_said(tmp_path: Path) -> None:
    rows = [Row("", 2, "kodoli"), Row("", 0, "sentineg")]
    np.save(tmp_path / "told.npy", np.array([[0.5, 0.5, 0.0], [np.nan] * 3], dtype=np.float32))
    first = bundled.targets(rows, stages.FIRST, None)
    second = bundled.targets(rows, stages.SECOND, tmp_path / "told.npy")
    share = stages.SECOND.taught["kodoli"]
    assert first.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert second[0].tolist() == pytest.approx([share / 2, share / 2, 1 - share])
    assert second[1].tolist() == [1.0, 0.0, 0.0]


def test_each_source_that_a_stage_is_taught_has_a_teacher() -> None:
    for stage in stages.STAGES:
        assert set(stage.taught) | set(stage.spliced) <= set(teacher.TEACHERS)
        assert {source + stages.SPLICED for source in stage.spliced} <= set(stage.passes)


def test_spliced_rows_are_a_source_of_their_own_and_know_what_its_teacher_says() -> None:
    words = ("나빴다", "그냥 그랬다", "좋았다")
    own = [Row(f"{number}번 길이 {words[number % 3]}", number % 3, "kodoli") for number in range(120)]
    made, told = bundled.spliced([*own, Row("남의 말", 0, "kote")], "kodoli", 40)
    assert len(made) == len(told) == 40
    assert {row.source for row in made} == {"kodoli_spliced"}
    assert [row.label for row in made] == told.argmax(1).tolist()
    assert not any("남의" in row.text for row in made)
