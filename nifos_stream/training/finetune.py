"""From a base and labelled rows to a model directory, going on where a killed training stood."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from transformers import ElectraForSequenceClassification

from nifos_stream.model import load_model
from nifos_stream.settings import ModelSettings
from nifos_stream.training import (
    base,
    card,
    checkpoints,
    corpus,
    dataset,
    export,
    history,
    plots,
    temperature,
    trainer,
)
from nifos_stream.training.evaluate import Evaluation, classify, judge
from nifos_stream.training.grouping import Examples, encode
from nifos_stream.training.progress import Bar, SaveByTime
from nifos_stream.training.recipe import Recipe, remember

CHECKPOINTS = "checkpoints"
STARTED = "started.json"
PLOTS = "plots"
# A probability of 0 is one that was rounded.
SMALLEST = 1e-7
REMARKS = (
    "The epoch that is kept and the temperature were chosen on the validation rows, so the figures above are",
    "a little kind; judge the model on rows that no training has seen with `nifos-stream evaluate`.",
)


@dataclass(frozen=True, slots=True)
class Task:
    """One training: what is done, with which rows, and where the model goes.

    sha256: of the files that the rows come from, by their name: for training first, for validation last.
    """

    recipe: Recipe
    train: Sequence[corpus.Row]
    valid: Sequence[corpus.Row]
    sha256: Mapping[str, str]
    out: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trained model. curves: where its plots lie. went_on_from: step of the checkpoint, if any."""

    directory: Path
    revision: str
    evaluation: Evaluation
    summary: str
    curves: plots.Saved
    went_on_from: int | None


def fine_tune(task: Task, *, device: torch.device, console: Console, save_every_seconds: float) -> Outcome:
    """Train, and write the model directory.

    1. Read the base. 2. Refuse to mix two trainings. 3. Train, from the last whole checkpoint if any.
    4. Write what the best epoch had learned. 5. Fit the temperature, judge, and say so in the card.
    6. Remove the checkpoints.
    """
    recipe = task.recipe
    kept = (task.out / CHECKPOINTS).absolute()
    start = base.read(recipe.base)
    base.check_length(start, recipe.max_length)
    rows = {"training_rows": corpus.digest(task.train), "validation_rows": corpus.digest(task.valid)}
    remember(kept / STARTED, {**recipe.as_dict(), **rows})
    before = checkpoints.newest(kept)
    if before is None or not before.is_last:
        _train(
            task, start, kept, before, device=device, console=console, save_every_seconds=save_every_seconds
        )
    last = checkpoints.newest(kept)
    if last is None:
        raise RuntimeError(f"The training left no checkpoint in {kept}.")
    _write(task, start, checkpoints.best(kept, last.state))
    about, evaluation = _judge(task, device)
    outcome = _describe(task, about, evaluation, last.state, before.step if before else None)
    shutil.rmtree(kept)
    return outcome


def _train(
    task: Task,
    start: base.Base,
    kept: Path,
    before: checkpoints.Checkpoint | None,
    *,
    device: torch.device,
    console: Console,
    save_every_seconds: float,
) -> None:
    recipe = task.recipe
    made = trainer.make(
        recipe,
        base.model(start, dropout=recipe.dropout, seed=recipe.seed),
        _examples(start, recipe, task.train, recipe.weights_of(task.train)),
        _examples(start, recipe, task.valid, [1.0] * len(task.valid)),
        checkpoints=kept,
        device=device,
        callbacks=[SaveByTime(save_every_seconds), Bar(console)],
    )
    made.train(resume_from_checkpoint=str(before.path) if before else None)


def _examples(
    start: base.Base, recipe: Recipe, rows: Sequence[corpus.Row], weights: Sequence[float]
) -> Examples:
    texts = [row.text for row in rows]
    ids = encode(start.tokenizer, recipe.clean(), texts, max_length=recipe.max_length)
    return Examples(ids, [row.label for row in rows], weights)


def _about(task: Task, fitted: float = 1.0) -> export.About:
    recipe, name = task.recipe, task.out.absolute().name
    return export.About(name, recipe.max_length, recipe.cleaning, fitted, recipe.kept, "plain")


def _write(task: Task, start: base.Base, best: Path) -> None:
    module = ElectraForSequenceClassification.from_pretrained(
        best, local_files_only=True, dtype=torch.float32
    )
    export.write(task.out, module.state_dict(), module.config, start.tokenizer, _about(task))


def _judge(task: Task, device: torch.device) -> tuple[export.About, Evaluation]:
    """Fit the temperature on what the worker would say, store it, and judge what it says then."""
    settings = ModelSettings(device=str(device), dtype="fp32")
    labels = np.array([row.label for row in task.valid])
    told = classify(load_model(task.out, settings=settings), [row.text for row in task.valid])
    read = ~np.isnan(told[:, 0])
    about = _about(task, temperature.fit(labels[read], np.log(np.maximum(told[read], SMALLEST))))
    export.write_about(task.out, about)
    sha256 = list(task.sha256.values())[-1]
    return about, judge(load_model(task.out, settings=settings), task.valid, sha256)


def _describe(
    task: Task,
    about: export.About,
    evaluation: Evaluation,
    state: Mapping[str, Any],
    went_on_from: int | None,
) -> Outcome:
    """Write plots, summary and card."""
    recipe = task.recipe
    gone = history.of(state)
    summary = history.summary(gone, patience=recipe.patience, epochs=recipe.epochs, stop_on=recipe.stop_on)
    curves = plots.save(plots.training_figure(gone), task.out / PLOTS / "training")
    (task.out / PLOTS / "training.txt").write_text(summary + "\n", encoding="utf-8")
    with (task.out / PLOTS / "steps.jsonl").open("w", encoding="utf-8") as steps:
        steps.writelines(json.dumps(asdict(step)) + "\n" for step in gone.steps)
    counts = card.Counts(next(iter(task.sha256.values())), len(task.train), dataset.count(task.train))
    training = {
        **recipe.as_dict(),
        "optimizer": "AdamW",
        "sha256": dict(task.sha256),
        "validation_rows": len(task.valid),
        "steps": gone.steps[-1].step,
        "epochs_run": len(gone.epochs),
        "epoch_kept": gone.best.epoch,
        "by_epoch": [asdict(epoch) for epoch in gone.epochs],
    }
    card.write(task.out, about, counts, training, {"valid": evaluation}, licences={}, remarks=REMARKS)
    return Outcome(task.out, evaluation.revision, evaluation, summary, curves, went_on_from)
