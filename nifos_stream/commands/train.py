"""`train`: from labelled rows to a model directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.text import Text

from nifos_stream.errors import UserError
from nifos_stream.files.columns import parse_mapping

if TYPE_CHECKING:
    from nifos_stream.training import corpus
    from nifos_stream.training.dataset import Dataset
    from nifos_stream.training.finetune import Task
    from nifos_stream.training.recipe import Precision, Recipe

BASE = "monologg/koelectra-base-v3-discriminator"
CLEANING = "nfc,line_breaks,repeats,spaces"


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What a person may say. `column`, `class_weight` and `source_weight` are NAME=VALUE.

    class_weight: 부정=2 or the one word `balanced`. kept: the characters of the cleaning step `kept`.
    """

    out: Path
    base: str = BASE
    valid: Path | None = None
    column: Sequence[str] = ()
    labels: str | None = None
    valid_share: float = 0.2
    max_length: int = 60
    dropout: float = 0.2
    learning_rate: float = 5e-6
    weight_decay: float = 0.01
    batch_size: int = 128
    epochs: int = 50
    patience: int = 3
    stop_on: Literal["accuracy", "macro_f1", "loss"] = "accuracy"
    reduce_on_plateau: bool = False
    clean: str = CLEANING
    kept: str = ""
    class_weight: Sequence[str] = ()
    source_weight: Sequence[str] = ()
    dtype: Literal["auto", "fp32", "bf16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = 42
    checkpoint_minutes: float = 10.0
    restart: bool = False


def run_train(file: Path, options: TrainOptions, console: Console | None = None) -> None:
    """Train on a labelled file, and write a model directory that `worker --model` serves.

    The same command goes on with a training that was cut short. UserError when options, data, base or
    directory do not hold.
    """
    console = console or Console(soft_wrap=True, highlight=False)
    _check_out(options)
    try:
        from nifos_stream.training import finetune, precision
    except ImportError as error:
        raise UserError(
            f"Training needs more packages ({error.name}): pip install 'nifos-stream[train]'."
        ) from None
    device = precision.device_named(options.device)
    task = _task(file, options, console)
    say(
        console,
        f"training on {device.type} in {task.recipe.precision}: {len(task.train):,} texts, "
        f"{len(task.valid):,} for validation, from {task.recipe.base}",
    )
    done = finetune.fine_tune(
        task, device=device, console=console, save_every_seconds=options.checkpoint_minutes * 60
    )
    if done.went_on_from is not None:
        say(console, f"went on from the checkpoint of step {done.went_on_from}")
    say(console, done.summary)
    told = done.evaluation.figures
    say(
        console,
        f"{done.directory}: revision {done.revision}, validation accuracy {told.accuracy:.4f}, "
        f"macro F1 {told.macro_f1:.4f}, calibration error {told.ece:.4f}",
    )
    say(console, f"curves: {done.curves.page}", done.curves.problem)


def say(console: Console, *lines: str | None) -> None:
    """Print lines as they are; None is no line."""
    for line in lines:
        if line is not None:
            console.print(Text(line))


def _check_out(options: TrainOptions) -> None:
    import shutil

    out = options.out
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; the model goes into a directory.")
    if options.restart:
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
    elif (out / "nifos.json").exists() and not (out / "checkpoints").exists():
        raise UserError(f"{out} already holds a model; name another directory, or --restart to replace it.")


def _task(file: Path, options: TrainOptions, console: Console) -> "Task":
    """Read the rows, say what they are, and split them."""
    from nifos_stream.training import account, dataset
    from nifos_stream.training.finetune import Task

    columns = parse_mapping(options.column)
    numbers = dataset.parse_labels(options.labels) if options.labels else dataset.NUMBERS
    given = [
        dataset.read(path, columns=columns, numbers=numbers)
        for path in (file, options.valid)
        if path is not None
    ]
    for data in given:
        say(console, *account.of(data))
    train, valid = _sides(given, options)
    if options.valid is not None and (dropped := len(given[0].rows) - len(train)):
        say(console, f"dropped: {dropped:,} texts of {file.name} that stand in {options.valid.name} too")
    files = {data.name: data.sha256 for data in given}
    return Task(_recipe(options, train), train, valid, files, options.out)


def _sides(
    given: "Sequence[Dataset]", options: TrainOptions
) -> "tuple[Sequence[corpus.Row], Sequence[corpus.Row]]":
    """Training and validation rows. UserError when one side is empty."""
    from nifos_stream.training import dataset

    if len(given) > 1:
        train, valid = dataset.without(given[0].rows, given[1].rows), list(given[1].rows)
    else:
        train, valid = dataset.split(given[0].rows, share=options.valid_share, seed=options.seed)
    if not train or not valid:
        raise UserError(
            f"{given[0].name} gives {len(train)} texts to train on and {len(valid)} to validate with; "
            "both are needed."
        )
    return train, valid


def _recipe(options: TrainOptions, rows: "Sequence[corpus.Row]") -> "Recipe":
    from nifos_stream.training import dataset, recipe

    if tuple(options.class_weight) == ("balanced",):
        classes = recipe.balanced(rows)
    else:
        classes = recipe.class_weights(_numbers(options.class_weight, "--class-weight"), dataset.WORDS)
    made = recipe.Recipe(
        base=options.base,
        max_length=options.max_length,
        dropout=options.dropout,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        batch_size=options.batch_size,
        epochs=options.epochs,
        patience=options.patience,
        stop_on=options.stop_on,
        reduce_on_plateau=options.reduce_on_plateau,
        cleaning=tuple(step.strip() for step in options.clean.split(",") if step.strip()),
        kept=options.kept,
        class_weights=classes,
        source_weights=_numbers(options.source_weight, "--source-weight"),
        precision=_precision(options),
        seed=options.seed,
    )
    made.clean()
    made.weights_of(rows)
    return made


def _precision(options: TrainOptions) -> "Precision":
    """A training that goes on computes as it began, whatever is fastest today."""
    from nifos_stream.training import finetune, precision, recipe

    before = recipe.remembered(options.out / finetune.CHECKPOINTS / finetune.STARTED)
    if options.dtype == "auto" and before is not None:
        known: Precision = before["precision"]
        return known
    return precision.chosen(options.dtype, precision.device_named(options.device))


def _numbers(pairs: Sequence[str], option: str) -> dict[str, float]:
    """{"부정": 2.0} from ["부정=2"]; UserError for what is no number."""
    numbers: dict[str, float] = {}
    for name, value in parse_mapping(pairs, option).items():
        try:
            numbers[name] = float(value)
        except ValueError:
            raise UserError(f"{option} {name}={value} is not NAME=NUMBER.") from None
        if not 0 <= numbers[name] < float("inf"):
            raise UserError(f"{option} {name}={value} is not a weight of 0 or more.")
    return numbers
