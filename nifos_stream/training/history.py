"""How a training went: by step, by epoch, and in words. Knows what transformers' Trainer remembers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One step of training: loss and accuracy of its batch, and the learning rate."""

    step: int
    loss: float
    accuracy: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """What validation said after an epoch. is_best: it is the one that was kept."""

    epoch: int
    step: int
    loss: float
    accuracy: float
    macro_f1: float
    macro_precision: float
    macro_recall: float
    is_best: bool


@dataclass(frozen=True, slots=True)
class History:
    """All steps and epochs, in order."""

    steps: tuple[Step, ...]
    epochs: tuple[Epoch, ...]

    @property
    def best(self) -> Epoch:
        """The epoch that was kept."""
        return next(epoch for epoch in self.epochs if epoch.is_best)


def of(state: Mapping[str, Any]) -> History:
    """Read the state of a checkpoint."""
    entries: Sequence[Mapping[str, Any]] = state["log_history"]
    steps = tuple(
        Step(entry["step"], entry["loss"], entry["accuracy"], entry["learning_rate"])
        for entry in entries
        if "loss" in entry
    )
    epochs = tuple(
        Epoch(
            epoch=round(entry["epoch"]),
            step=entry["step"],
            loss=entry["eval_loss"],
            accuracy=entry["eval_accuracy"],
            macro_f1=entry["eval_macro_f1"],
            macro_precision=entry["eval_macro_precision"],
            macro_recall=entry["eval_macro_recall"],
            is_best=entry["step"] == state["best_global_step"],
        )
        for entry in entries
        if "eval_loss" in entry
    )
    return History(steps, epochs)


def summary(history: History, *, patience: int, epochs: int, stop_on: str) -> str:
    """Say in a table and two sentences how it went."""
    lines = [
        "       training          validation",
        "epoch  loss    accuracy  loss    accuracy  F1      P       R",
    ]
    done = 0
    for epoch in history.epochs:
        steps = [step for step in history.steps if done < step.step <= epoch.step]
        done = epoch.step
        loss = sum(step.loss for step in steps) / len(steps)
        accuracy = sum(step.accuracy for step in steps) / len(steps)
        lines.append(
            f"{epoch.epoch:5}  {loss:.4f}  {accuracy:.4f}    {epoch.loss:.4f}  {epoch.accuracy:.4f}    "
            f"{epoch.macro_f1:.4f}  {epoch.macro_precision:.4f}  {epoch.macro_recall:.4f}"
            + ("  kept" if epoch.is_best else "")
        )
    ended = len(history.epochs)
    why = (
        f"all {epochs} epochs were run"
        if ended >= epochs
        else f"{stop_on} had not improved for {patience} epochs"
    )
    lines += ["", f"It ended after epoch {ended}, since {why}. Epoch {history.best.epoch} was kept."]
    return "\n".join(lines)
