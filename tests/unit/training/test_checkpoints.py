import json
from pathlib import Path

from nifos_stream.training import checkpoints


def make(directory: Path, step: int, *, stop: bool = False, cut: bool = False) -> Path:
    path = directory / f"checkpoint-{step}"
    path.mkdir(parents=True)
    control = {"args": {"should_training_stop": stop}, "attributes": {}}
    state = {"best_global_step": 7, "stateful_callbacks": {"TrainerControl": control}}
    text = json.dumps(state)
    (path / "trainer_state.json").write_text(text[: len(text) // 2] if cut else text, encoding="utf-8")
    return path


def test_the_newest_whole_checkpoint_is_found(tmp_path: Path):
    for step in (7, 14, 110):
        make(tmp_path, step)
    found = checkpoints.newest(tmp_path)
    assert found is not None
    assert (found.step, found.is_last) == (110, False)
    assert checkpoints.best(tmp_path, found.state) == tmp_path / "checkpoint-7"


def test_one_that_a_kill_cut_short_is_removed(tmp_path: Path):
    make(tmp_path, 7, stop=True)
    cut = make(tmp_path, 14, cut=True)
    (tmp_path / "checkpoint-21").mkdir()
    found = checkpoints.newest(tmp_path)
    assert found is not None
    assert (found.step, found.is_last) == (7, True)
    assert not cut.exists()
    assert not (tmp_path / "checkpoint-21").exists()


def test_there_may_be_none(tmp_path: Path):
    assert checkpoints.newest(tmp_path / "nowhere") is None
