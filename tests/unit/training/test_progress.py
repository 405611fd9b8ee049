import io

import pytest
from rich.console import Console
from transformers import TrainerControl, TrainerState, TrainingArguments

from nifos_stream.training.progress import Bar, SaveByTime


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def arguments() -> TrainingArguments:
    return TrainingArguments(output_dir="unused", num_train_epochs=5, use_cpu=True, report_to="none")


def test_a_long_epoch_is_saved_by_time(arguments: TrainingArguments):
    clock = Clock()
    saver, control = SaveByTime(60, now=clock), TrainerControl()
    saver.on_step_end(arguments, TrainerState(max_steps=50, global_step=3), control)
    assert not control.should_save
    clock.seconds = 61
    saver.on_step_end(arguments, TrainerState(max_steps=50, global_step=4), control)
    assert control.should_save
    saver.on_save(arguments, TrainerState(), control)
    control = TrainerControl()
    saver.on_step_end(arguments, TrainerState(max_steps=50, global_step=5), control)
    assert not control.should_save


def test_the_last_step_of_an_epoch_waits_for_its_validation(arguments: TrainingArguments):
    clock = Clock()
    saver, control = SaveByTime(60, now=clock), TrainerControl()
    clock.seconds = 61
    for step in (10, 50):
        saver.on_step_end(arguments, TrainerState(max_steps=50, global_step=step), control)
    assert not control.should_save


def test_the_bar_shows_loss_and_accuracy_and_each_epoch_leaves_a_line(arguments: TrainingArguments):
    console = Console(file=io.StringIO(), force_terminal=True, width=150)
    bar, control = Bar(console), TrainerControl()
    state = TrainerState(max_steps=50, global_step=0, epoch=0.0)
    bar.on_train_begin(arguments, state, control)
    bar.on_epoch_begin(arguments, state, control)
    bar.on_log(arguments, state, control, logs={"loss": 0.5432, "accuracy": 0.75})
    bar._progress.refresh()
    figures = ("loss", "accuracy", "macro_f1", "macro_precision", "macro_recall")
    state.epoch = 1.0
    bar.on_log(arguments, state, control, logs={f"eval_{name}": 0.875 for name in figures})
    bar.on_train_end(arguments, state, control)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "loss 0.5432  accuracy 0.750" in said
    assert "epoch 1: validation accuracy 0.8750, loss 0.8750, macro F1 0.8750" in said
