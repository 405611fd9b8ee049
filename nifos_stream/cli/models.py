"""Commands about models: classify, lengths, train, evaluate, import-weights, export-model."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nifos_stream.cli.app import panel, settings_with
from nifos_stream.files import Format

command = panel("Models")
Column = Annotated[
    list[str] | None, typer.Option(metavar="FIELD=NAME", help="Which column holds a field, e.g. text=본문.")
]
Labels = Annotated[
    str | None, typer.Option(metavar="부정,중립,긍정", help="What 0, 1 and 2 stand for in the file.")
]
Clean = Annotated[
    str, typer.Option(help="Cleaning steps, by comma: nfc, line_breaks, kept, repeats, spaces.")
]
Kept = Annotated[str, typer.Option(help="Characters that the step `kept` lets through.")]
CLEANING = "nfc,line_breaks,repeats,spaces"


@command(
    epilog="Examples: nifos-stream classify '숲길이 정말 좋았어요'  ·  "
    "nifos-stream classify --file posts.xlsx --out labelled.csv --sentences"
)
def classify(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT…", help="Texts to label.")] = None,
    file: Annotated[str | None, typer.Option(help="Rows to label; - is standard input.")] = None,
    out: Annotated[
        str | None,
        typer.Option(help="Where they go: .csv, .xlsx, .jsonl, …; JSONL on standard output without it."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="`bundled`, a directory, or a hub name.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16 or int8.")] = None,
    column: Column = None,
    file_format: Annotated[Format, typer.Option("--format", help="What the file holds.")] = Format.AUTO,
    sentences: Annotated[bool, typer.Option("--sentences", help="A row for each sentence.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each text.")] = False,
) -> None:
    """Label texts, or every row of a file, without Kafka."""
    from nifos_stream.commands.classify import ClassifyOptions, run_classify

    settings = settings_with(model={"path": model, "device": device, "dtype": dtype})
    options = ClassifyOptions(
        settings.model, file, out, tuple(column or ()), file_format, sentences, as_json=as_json
    )
    raise typer.Exit(run_classify(texts or (), options))


@command(epilog="Example: nifos-stream lengths train.tsv.xz --coverage 0.96 --plots plots")
def lengths(
    file: Annotated[Path, typer.Argument(help="Texts, in any format that `produce` reads.")],
    coverage: Annotated[float, typer.Option(help="Share of texts that should fit.")] = 0.96,
    model: Annotated[str, typer.Option(help="Whose tokenizer and cleaning count.")] = "bundled",
    column: Column = None,
    clean: Annotated[str | None, typer.Option(help="Other cleaning steps, by comma.")] = None,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="Draw the lengths there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Measure texts in tokens: the shortest length that covers a share, and what padding to it wastes."""
    from nifos_stream.commands.lengths import LengthsOptions, run_lengths

    settings_with()
    run_lengths(file, LengthsOptions(coverage, model, tuple(column or ()), clean, plots, as_json))


@command(epilog="Example: nifos-stream train train.csv --out ./my-model --stop-on macro_f1")
def train(
    file: Annotated[
        Path, typer.Argument(help="Labelled rows: CSV, TSV, XLSX, JSON or JSONL, also .gz and .xz.")
    ],
    out: Annotated[Path, typer.Option(help="Directory of the model.")],
    base: Annotated[
        str, typer.Option(help="Hub name or directory.")
    ] = "monologg/koelectra-base-v3-discriminator",
    valid: Annotated[Path | None, typer.Option(help="Validation rows; else a share of FILE.")] = None,
    valid_share: Annotated[float, typer.Option(help="That share, the same for every label.")] = 0.2,
    column: Column = None,
    labels: Labels = None,
    max_length: Annotated[int, typer.Option(min=3, help="Tokens of one text.")] = 60,
    dropout: Annotated[float, typer.Option(min=0, max=0.9, help="In every dropout layer.")] = 0.2,
    learning_rate: Annotated[float, typer.Option(help="Of AdamW.")] = 5e-6,
    weight_decay: Annotated[float, typer.Option(min=0, help="Of AdamW.")] = 0.01,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts of one step.")] = 128,
    epochs: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without improvement before it stops.")] = 3,
    stop_on: Annotated[
        Literal["accuracy", "macro_f1", "loss"], typer.Option(help="What has to improve on validation rows.")
    ] = "accuracy",
    reduce_on_plateau: Annotated[
        bool, typer.Option("--reduce-on-plateau", help="Lower the rate when nothing improves.")
    ] = False,
    clean: Clean = CLEANING,
    kept: Kept = "",
    class_weight: Annotated[
        list[str] | None, typer.Option(metavar="LABEL=WEIGHT", help="Or the one word `balanced`.")
    ] = None,
    source_weight: Annotated[
        list[str] | None, typer.Option(metavar="SOURCE=WEIGHT", help="Weight of the rows of a source.")
    ] = None,
    dtype: Annotated[Literal["auto", "fp32", "bf16"], typer.Option(help="Arithmetic.")] = "auto",
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where it runs.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of the split and of the training.")] = 42,
    checkpoint_minutes: Annotated[float, typer.Option(min=0.01, help="Time between checkpoints.")] = 10.0,
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget checkpoints and model in --out.")
    ] = False,
) -> None:
    """Fine-tune a model on labelled rows; the same command goes on with one that was cut short."""
    from nifos_stream.commands.train import TrainOptions, run_train

    settings_with()
    options = TrainOptions(
        out=out,
        base=base,
        valid=valid,
        column=tuple(column or ()),
        labels=labels,
        valid_share=valid_share,
        max_length=max_length,
        dropout=dropout,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        batch_size=batch_size,
        epochs=epochs,
        patience=patience,
        stop_on=stop_on,
        reduce_on_plateau=reduce_on_plateau,
        clean=clean,
        kept=kept,
        class_weight=tuple(class_weight or ()),
        source_weight=tuple(source_weight or ()),
        dtype=dtype,
        device=device,
        seed=seed,
        checkpoint_minutes=checkpoint_minutes,
        restart=restart,
    )
    run_train(file, options)


@command(epilog="Example: nifos-stream evaluate bundled test.tsv.xz --plots plots")
def evaluate(
    model: Annotated[str, typer.Argument(help="`bundled`, a directory, or a hub name.")],
    file: Annotated[
        Path, typer.Argument(help="Labelled rows: CSV, TSV, XLSX, JSON or JSONL, also .gz and .xz.")
    ],
    column: Column = None,
    labels: Labels = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16 or int8.")] = None,
    mistakes: Annotated[int, typer.Option(min=0, help="Most wrong rows to show, the surest first.")] = 10,
    plots: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw confusion and reliability there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Say how good a model is on labelled rows, over all and by source."""
    from nifos_stream.commands.evaluate import EvaluateOptions, run_evaluate

    settings = settings_with(model={"path": model, "device": device, "dtype": dtype})
    options = EvaluateOptions(tuple(column or ()), labels, as_json, mistakes, plots)
    run_evaluate(file, settings.model, options)


@command(
    "import-weights",
    epilog="Example: nifos-stream import-weights best.pt --base ./base --labels 부정,긍정,중립 --out ./mine",
)
def import_weights(
    file: Annotated[Path, typer.Argument(help="A state dict (.pt), or a checkpoint that holds one.")],
    base: Annotated[str, typer.Option(help="Hub name or directory of the architecture and tokenizer.")],
    labels: Annotated[str, typer.Option(metavar="부정,중립,긍정", help="What outputs 0, 1 and 2 stand for.")],
    out: Annotated[Path, typer.Option(help="Directory of the model.")],
    max_length: Annotated[int, typer.Option(min=3, help="Tokens of one text.")] = 60,
    clean: Clean = "nfc,line_breaks,spaces",
    kept: Kept = "",
    check: Annotated[Path | None, typer.Option(help="Labelled rows to try it on.")] = None,
    column: Column = None,
    check_labels: Labels = None,
    name: Annotated[str | None, typer.Option(help="Name of the model; else that of the directory.")] = None,
) -> None:
    """Turn weights that somebody has into a model directory that `worker --model` serves."""
    from nifos_stream.commands.import_weights import ImportOptions, run_import

    settings_with()
    options = ImportOptions(
        base, labels, out, max_length, clean, kept, check, tuple(column or ()), check_labels, name
    )
    run_import(file, options)


@command("export-model", epilog="Example: nifos-stream export-model bundled ./plain")
def export_model(
    model: Annotated[str, typer.Argument(help="`bundled`, a directory, or a hub name.")],
    out: Annotated[Path, typer.Argument(help="Directory of the copy.")],
) -> None:
    """Write any model as a directory of plain fp32 weights, for other programs."""
    from nifos_stream.commands.export_model import run_export

    settings_with()
    run_export(model, out)
