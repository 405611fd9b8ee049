"""transformers' Trainer with our loss, our order of rows and our figures. Knows no files of rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    EarlyStoppingCallback,
    ElectraForSequenceClassification,
    EvalPrediction,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from nifos_stream.training.evaluate import figures
from nifos_stream.training.grouping import Collator, Examples, LengthGroups
from nifos_stream.training.recipe import PLATEAU_FACTOR, PLATEAU_PATIENCE, Recipe

# The newest, the one before it in case the newest is cut short, and the best, which is never removed.
KEPT_CHECKPOINTS = 3


class SentimentTrainer(Trainer):
    """Weighted cross-entropy over batches of about equal length; each step's accuracy stands in the log."""

    def __init__(self, *, recipe: Recipe, train: Examples, **others: Any) -> None:
        super().__init__(train_dataset=train, compute_metrics=judged, **others)
        self.loss_is_scaled_for_ga = False
        self._recipe = recipe
        self._lengths = train.lengths
        self._step_accuracy = 0.0

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Mapping[str, Tensor | Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,  # noqa: ARG002 - the mean is over this batch
    ) -> Any:
        """Return the mean loss, weighted in training and plain in validation."""
        labels = inputs["labels"]
        outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        losses = functional.cross_entropy(outputs.logits.float(), labels, reduction="none")
        if model.training:
            weights = inputs["weights"]
            loss = (losses * weights).sum() / weights.sum()
            self._step_accuracy = float((outputs.logits.argmax(-1) == labels).float().mean())
        else:
            loss = losses.mean()
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the accuracy of the step to what is logged of it."""
        if "loss" in logs:
            logs["accuracy"] = self._step_accuracy
        super().log(logs, start_time)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroups:  # noqa: ARG002 - it is ours
        return LengthGroups(self._lengths, self._recipe.batch_size, self._recipe.seed)


def judged(prediction: EvalPrediction) -> dict[str, float]:
    """Return accuracy and the macro figures of logits (rows, 3)."""
    logits = np.asarray(prediction.predictions, dtype=np.float64)
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    found = figures(np.asarray(prediction.label_ids), exponents / exponents.sum(1, keepdims=True))
    return {
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        "macro_precision": found.macro_precision,
        "macro_recall": found.macro_recall,
    }


def make(
    recipe: Recipe,
    model: ElectraForSequenceClassification,
    train: Examples,
    valid: Examples,
    *,
    checkpoints: Path,
    device: torch.device,
    callbacks: list[TrainerCallback],
) -> SentimentTrainer:
    """Put a trainer together, which leaves a checkpoint in `checkpoints` after each epoch."""
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    plateau: dict[str, Any] = {"factor": PLATEAU_FACTOR, "patience": PLATEAU_PATIENCE}
    plateau["mode"] = "min" if recipe.stop_on == "loss" else "max"
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        lr_scheduler_type="reduce_lr_on_plateau" if recipe.reduce_on_plateau else "constant",
        lr_scheduler_kwargs=plateau if recipe.reduce_on_plateau else None,
        metric_for_best_model=recipe.stop_on,
        greater_is_better=recipe.stop_on != "loss",
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=KEPT_CHECKPOINTS,
        # Without it the epochs without progress would be counted anew after a restart.
        restore_callback_states_from_checkpoint=True,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        label_names=["labels"],
        bf16=recipe.precision == "bf16",
        use_cpu=device.type == "cpu",
        dataloader_pin_memory=device.type != "cpu",
        seed=recipe.seed,
        data_seed=recipe.seed,
    )
    trainer = SentimentTrainer(
        recipe=recipe,
        train=train,
        model=model,
        args=arguments,
        eval_dataset=valid.by_length(),
        data_collator=Collator(model.config.pad_token_id or 0),
        callbacks=[EarlyStoppingCallback(recipe.patience), *callbacks],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer
