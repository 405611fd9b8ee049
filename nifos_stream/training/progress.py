"""What a training shows while it runs, and when it saves itself. Knows nothing of what is trained."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


def steps_per_epoch(args: TrainingArguments, state: TrainerState) -> int:
    """Return how many steps read all rows once."""
    return round(state.max_steps / args.num_train_epochs)


class SaveByTime(TrainerCallback):
    """Saves within long epochs too, so that a kill costs at most `every_seconds`."""

    def __init__(self, every_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._every_seconds = every_seconds
        self._now = now
        self._saved = now()

    def on_step_end(self, *event: Any, **_: Any) -> None:
        """Ask for a checkpoint when the last is old."""
        args: TrainingArguments = event[0]
        state: TrainerState = event[1]
        control: TrainerControl = event[2]
        # The last step of an epoch is saved after its validation; a training that went on from a checkpoint
        # before that would leave this validation out.
        is_last_of_epoch = state.global_step % steps_per_epoch(args, state) == 0
        if not is_last_of_epoch and self._now() - self._saved >= self._every_seconds:
            control.should_save = True

    def on_save(self, *_: Any, **__: Any) -> None:
        """Start the time again."""
        self._saved = self._now()


class Bar(TrainerCallback):
    """A bar for each epoch with loss and accuracy, and one line of figures after it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Show the bar."""
        self._progress.start()

    def on_epoch_begin(self, *event: Any, **_: Any) -> None:
        """Begin the bar of this epoch, where a resumed training stands."""
        args: TrainingArguments = event[0]
        state: TrainerState = event[1]
        epoch = int(state.epoch or 0)
        steps = steps_per_epoch(args, state)
        self._end()
        self._task = self._progress.add_task(
            "", total=steps, completed=state.global_step - epoch * steps, epoch=epoch + 1, figures=""
        )

    def on_log(self, *event: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        """Move the bar by a step, or write down an epoch's figures."""
        state: TrainerState = event[1]
        if logs is None or self._task is None:
            return
        if "loss" in logs:
            shown = f"loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.3f}"
            self._progress.update(self._task, advance=1, figures=shown)
        elif "eval_loss" in logs:
            self._console.print(
                f"epoch {round(state.epoch or 0)}: validation accuracy {logs['eval_accuracy']:.4f}, "
                f"loss {logs['eval_loss']:.4f}, macro F1 {logs['eval_macro_f1']:.4f}, "
                f"precision {logs['eval_macro_precision']:.4f}, recall {logs['eval_macro_recall']:.4f}",
                highlight=False,
            )

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Take the bar away."""
        self._end()
        self._progress.stop()

    def _end(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
