"""A training that is killed goes on to the same weights; what comes out is served as it is."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nifos_stream.commands.train import TrainOptions, run_train
from nifos_stream.errors import UserError
from nifos_stream.model import Reading, load_model
from nifos_stream.training import checkpoints, finetune
from tests.unit.training import old_hub

ROWS, EPOCHS, BATCH = 500, 4, 32
STEPS_PER_EPOCH = 13  # Of 401 rows, in batches of 32.
WORDS = {"긍정": "숲이 좋다", "부정": "길 나쁘다", "중립": "그냥 길이다"}
TRAIN = f"""
import sys
from pathlib import Path
import torch
from nifos_stream.commands.train import TrainOptions, run_train
rows, base, out, minutes = sys.argv[1:]
torch.set_num_threads(1)
run_train(Path(rows), TrainOptions(
    out=Path(out), base=base, batch_size={BATCH}, epochs={EPOCHS}, learning_rate=2e-3, dtype="fp32",
    device="cpu", patience=50, reduce_on_plateau=True, checkpoint_minutes=float(minutes)))
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 texts of different lengths, with a label that can be learned."""
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    lines = ["sentence,sentiment"]
    for number in range(ROWS):
        label = list(WORDS)[number % 3]
        filler = " ".join(old_hub.SYLLABLES[(number * 7 + place) % 1500] for place in range(number % 9))
        lines.append(f"{WORDS[label]} {filler} {old_hub.SYLLABLES[number]},{label}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hub") / "koelectra"
    old_hub.make(directory)
    return directory


def start(rows: Path, base: Path, out: Path, checkpoint_minutes: float) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", TRAIN, str(rows), str(base), str(out), str(checkpoint_minutes)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(training: subprocess.Popen[str]) -> str:
    said, _ = training.communicate(timeout=280)
    assert training.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def straight(rows: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a training that ran through."""
    out = tmp_path_factory.mktemp("straight") / "model"
    finish(start(rows, base, out, 10))
    return out


def kill_after(training: subprocess.Popen[str], out: Path, step: int) -> int:
    """Kill a training, which saves itself at every step, soon after `step`; returns its last checkpoint's."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and training.poll() is None:
        steps = [int(path.name.split("-")[1]) for path in (out / "checkpoints").glob("checkpoint-*")]
        if steps and max(steps) >= step:
            training.send_signal(signal.SIGKILL)
            training.communicate()
            return max(steps)
        time.sleep(0.01)
    raise AssertionError(f"No checkpoint of step {step} was seen: {training.communicate()[0]}")


def test_a_training_that_was_killed_twice_ends_with_the_same_weights(
    rows: Path, base: Path, straight: Path, tmp_path: Path
):
    out = tmp_path / "model"
    first = kill_after(start(rows, base, out, 0), out, STEPS_PER_EPOCH + 4)
    assert first < EPOCHS * STEPS_PER_EPOCH
    assert not (out / "model.safetensors").exists()
    kill_after(start(rows, base, out, 0), out, 2 * STEPS_PER_EPOCH + 6)
    said = finish(start(rows, base, out, 10))
    assert "went on from the checkpoint of step" in said
    through, resumed = load_file(straight / "model.safetensors"), load_file(out / "model.safetensors")
    assert through.keys() == resumed.keys()
    assert all(torch.equal(through[name], resumed[name]) for name in through)
    cards = [json.loads((path / "model_card.json").read_text(encoding="utf-8")) for path in (straight, out)]
    assert cards[0]["training"]["by_epoch"] == cards[1]["training"]["by_epoch"]
    steps = [(path / "plots" / "steps.jsonl").read_text(encoding="utf-8") for path in (straight, out)]
    assert steps[0] == steps[1]
    assert not (out / "checkpoints").exists()


def test_what_comes_out_is_one_directory_that_is_served_as_it_is(straight: Path):
    names = {path.name for path in straight.iterdir()}
    wanted = {
        "model.safetensors",
        "tokenizer.json",
        "config.json",
        "nifos.json",
        "model_card.json",
        "README.md",
    }
    assert wanted <= names
    classifier = load_model(straight)
    readings = classifier.classify(["숲이 좋다", "길 나쁘다"])
    assert all(isinstance(reading, Reading) for reading in readings)
    said = json.loads((straight / "model_card.json").read_text(encoding="utf-8"))
    assert said["revision"] == classifier.info.revision
    assert said["labels_ko"] == ["부정", "중립", "긍정"]
    assert said["training"]["batch_size"] == BATCH
    assert (said["data"]["rows"], said["training"]["validation_rows"]) == (401, 99)
    assert said["metrics"]["valid"]["accuracy"] > 0.5
    assert 0.2 <= json.loads((straight / "nifos.json").read_text(encoding="utf-8"))["temperature"] <= 5
    assert (straight / "plots" / "training.html").stat().st_size > 1_000_000
    assert "was kept" in (straight / "plots" / "training.txt").read_text(encoding="utf-8")


def test_a_training_that_was_killed_over_its_last_files_finishes_without_training(
    rows: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    options = TrainOptions(
        out=tmp_path / "model",
        base=str(base),
        batch_size=BATCH,
        learning_rate=2e-3,
        epochs=9,
        patience=1,
        device="cpu",
        dtype="fp32",
    )
    with monkeypatch.context() as patched:
        patched.setattr(finetune.shutil, "rmtree", lambda _: None)  # As if it were killed before this.
        run_train(rows, options)
    model = tmp_path / "model"
    weights = (model / "model.safetensors").read_bytes()
    card = json.loads((model / "model_card.json").read_text(encoding="utf-8"))
    epochs = card["training"]["by_epoch"]
    # It stopped an epoch after the best, whose weights are the ones that were kept.
    assert [epoch["is_best"] for epoch in epochs] == [*[False] * (len(epochs) - 2), True, False]
    assert len(epochs) < 9
    assert card["metrics"]["valid"]["accuracy"] == pytest.approx(epochs[-2]["accuracy"])
    last = checkpoints.newest(model / "checkpoints")
    assert last is not None
    assert last.is_last
    assert (last.path / "model.safetensors").read_bytes() != weights
    (model / "model.safetensors").unlink()
    monkeypatch.setattr(finetune.trainer, "make", lambda *_, **__: pytest.fail("it trained"))
    run_train(rows, options)
    assert (model / "model.safetensors").read_bytes() == weights
    assert not (model / "checkpoints").exists()


def test_what_cannot_go_on_is_said(rows: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out = tmp_path / "model"
    options = TrainOptions(out=out, base=str(base), batch_size=BATCH, epochs=1, device="cpu", dtype="fp32")
    monkeypatch.setattr(finetune, "_train", lambda *_, **__: None)
    with pytest.raises(RuntimeError, match="no checkpoint"):
        run_train(rows, options)
    with pytest.raises(UserError, match="epochs was 1 and is 2"):
        run_train(rows, replace(options, epochs=2))
    with pytest.raises(RuntimeError, match="no checkpoint"):
        run_train(rows, replace(options, epochs=2, restart=True))
