r"""Make the model that ships with the package: pretrained encoder, six layers, the whole corpus.

python -m nifos_stream.training.bundled train --data DIR --weights DIR --checkpoint FILE --minutes 130
python -m nifos_stream.training.bundled export --data DIR --weights DIR --checkpoint FILE --out FIRST
python -m nifos_stream.training.bundled teach --data DIR --teacher TOLD
python -m nifos_stream.training.bundled train --data DIR --weights DIR --start FIRST --teacher TOLD \
    --checkpoint FILE --minutes 80
python -m nifos_stream.training.bundled export --data DIR --weights DIR --start FIRST --checkpoint FILE \
    --out SECOND

Each later stage starts from the model of the one before in the same way.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from nifos_stream.errors import UserError
from nifos_stream.model import directory, load_model
from nifos_stream.model.cleaning import Cleaning
from nifos_stream.settings import ModelSettings
from nifos_stream.training import card, corpus, encoder, export, teacher, temperature
from nifos_stream.training.batches import Mix, batches
from nifos_stream.training.evaluate import Evaluation, classify, evaluate
from nifos_stream.training.loop import Progress, Training
from nifos_stream.training.noise import with_row_dropout
from nifos_stream.training.stages import SPLICED, STAGES, Stage
from nifos_stream.training.validation import figures, neutral_offset, predict, row_weights, validation_sample

NAME = "nifos-stream-ko-small"
CLEANING = Cleaning(("nfc", "line_breaks", "repeats", "spaces"))
MAX_LENGTH = 60
TOKENS_PER_BATCH = 1100
DROPOUT = 0.1
JUDGED = ("valid", "test", "nsmc_binary_holdout")
EXACT = ModelSettings(dtype="fp32")

NEEDED = {
    "teach": ("teacher",),
    "train": ("weights", "checkpoint"),
    "export": ("weights", "checkpoint", "out"),
}


@dataclass(frozen=True, slots=True)
class Files:
    """Where the corpus and the encoder lie, and what the actions hand on; None where an action needs none.

    start: the model directory, or `bundled`, that the stage goes on from.
    """

    data: Path
    weights: Path
    checkpoint: Path
    start: str | None = None
    teacher: Path | None = None


def token_ids(tokenizer: Tokenizer, rows: Sequence[corpus.Row]) -> list[list[int]]:
    """Clean and tokenize each row once, cut to MAX_LENGTH tokens with both special ones."""
    tokenizer.enable_truncation(MAX_LENGTH)
    encodings = tokenizer.encode_batch_fast([CLEANING(row.text) for row in rows])
    return [encoding.ids for encoding in encodings]


def teach(data: Path, out: Path) -> None:
    """Write the soft labels of the training rows, which all stages but the first learn from."""
    rows = corpus.read(data / "train.tsv.xz")
    texts = [CLEANING(row.text) for row in rows]
    labels = np.array([row.label for row in rows])
    np.save(out, teacher.cross_fitted(texts, labels, [row.source for row in rows]))


def targets(rows: Sequence[corpus.Row], stage: Stage, told: Path | None) -> Tensor:
    """Return what the stage is to learn (rows, 3). told: what `teach` wrote, where the stage reads it."""
    known = np.load(told) if told else np.empty((len(rows), teacher.CLASSES), np.float32)
    labels = np.array([row.label for row in rows])
    return torch.from_numpy(teacher.mixed(labels, known, [row.source for row in rows], stage.taught))


def spliced(rows: Sequence[corpus.Row], source: str, count: int) -> tuple[list[corpus.Row], Tensor]:
    """Make about `count` rows out of a source's own; with what is to be learned of them (rows, 3)."""
    own = [row for row in rows if row.source == source]
    labels = np.array([row.label for row in own])
    known_by = teacher.TEACHERS[source]
    texts, told = teacher.told_of_spliced([CLEANING(row.text) for row in own], labels, known_by, count)
    likeliest = told.argmax(1).tolist()
    made = [corpus.Row(text, label, source + SPLICED) for text, label in zip(texts, likeliest, strict=True)]
    return made, torch.from_numpy(told)


def train(files: Files, stage: Stage) -> Progress:
    """Train within the stage's time, going on from the checkpoint when there is one."""
    torch.set_num_threads(1)
    torch.manual_seed(stage.plan.seed)
    tokenizer = encoder.tokenizer(files.weights)
    rows = corpus.read(files.data / "train.tsv.xz")
    goals = targets(rows, stage, files.teacher)
    for source, count in stage.spliced.items():
        made, told = spliced(rows, source, count)
        rows, goals = rows + made, torch.cat([goals, told])
    ids = token_ids(tokenizer, rows)
    valid = validation_sample(corpus.read(files.data / "valid.tsv.xz"))
    valid_ids = token_ids(tokenizer, valid)
    model = encoder.pretrained(files.weights, dropout=DROPOUT)
    with_row_dropout(model)
    if files.start:
        model.load_state_dict(directory.load(files.start).module.state_dict())
    sources = [row.source for row in rows]
    mix = Mix(stage.passes, TOKENS_PER_BATCH, stage.plan.seed)
    order = batches([len(one) for one in ids], sources, mix)
    people = [source.removesuffix(SPLICED) for source in sources]
    numbers = {source: number for number, source in enumerate(sorted(set(people)))}
    training = Training(model, stage.plan, order, ids, goals, [numbers[source] for source in people])
    if files.checkpoint.exists():
        training.resume(files.checkpoint)
    print(json.dumps({"rows": len(rows), "stage": asdict(stage), "step": training.step}), flush=True)

    def report(progress: Progress) -> None:
        print(json.dumps(asdict(progress) | figures(valid, predict(model, valid_ids))), flush=True)

    return training.run(files.checkpoint, report)


def write(files: Files, out: Path, stage: Stage, remarks: Sequence[str] = ()) -> dict[str, Evaluation]:
    """Write the model directory of a checkpoint, calibrated on the validation file.

    remarks: sentences for the card that the checkpoint cannot know, such as another mix of its first hours.
    1. Write its weights, or their mean with those that the stage began with. 2. Balance the labels, and let
    neutral be found more often. 3. Fit the temperature. 4. Judge, and write the card.
    """
    state = torch.load(files.checkpoint, weights_only=True)
    if files.start:
        began = directory.load(files.start).module.state_dict()
        state["model"] = mean(began, state["model"], stage.share)
    model = encoder.pretrained(files.weights, dropout=DROPOUT)
    about = export.About(NAME, MAX_LENGTH, CLEANING.steps)
    tokenizer = encoder.tokenizer(files.weights)
    export.write(out, state["model"], model.config, tokenizer, about)
    valid = corpus.read(files.data / "valid.tsv.xz")
    told = classify(load_model(out, settings=EXACT), [row.text for row in valid])
    logits, labels = np.log(np.maximum(told, 1e-12)), np.array([row.label for row in valid])
    weighed = row_weights(valid)
    offsets = temperature.offsets(labels, logits, weighed)
    offsets += np.array([0.0, neutral_offset(valid, logits + offsets), 0.0])
    state["model"]["classifier.out_proj.bias"] += torch.from_numpy(offsets).float()
    about = replace(about, temperature=temperature.fit(labels, logits + offsets, weighed))
    export.write(out, state["model"], model.config, tokenizer, about)
    judged = {name: evaluate(out, files.data / f"{name}.tsv.xz", settings=EXACT) for name in JUDGED}
    read = [*stages_read(files.start), read_in(stage, state)]
    history = {
        "layers": encoder.LAYERS,
        "dropout": DROPOUT,
        "tokens_per_batch": TOKENS_PER_BATCH,
        "stages": read,
        "offsets": [round(float(offset), 4) for offset in offsets],
    }
    rows, steps = (sum(one[name] for one in read) for name in ("rows_read", "steps"))
    said = f"The training read {rows:,} rows in {steps:,} steps, small sources several times."
    counts = card.counted(files.data / "train.tsv.xz")
    card.write(out, about, counts, history, judged, remarks=(said, *remarks, *card.REMARKS))
    return judged


def mean(began: Mapping[str, Tensor], ended: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Return `share` of the weights in `ended`, and the rest of those in `began`."""
    return {name: torch.lerp(began[name], ended[name], share) for name in ended}


def stages_read(start: str | None) -> list[dict[str, Any]]:
    """Return what the card of a model says of the stages that made it; none without a model."""
    if start is None:
        return []
    told = json.loads((directory.find(start) / "model_card.json").read_bytes())
    read: list[dict[str, Any]] = told["training"]["stages"]
    return read


def stage_after(start: str | None) -> Stage:
    """Return the stage whose turn it is; UserError when the model has been through all of them."""
    done = len(stages_read(start))
    if done >= len(STAGES):
        raise UserError(f"{start} has been through all {len(STAGES)} stages.")
    return STAGES[done]


def read_in(stage: Stage, checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Say for the card how much a stage has read and how, of what `Training.save` wrote."""
    step, rows, seconds, _ = checkpoint["place"]
    return {"steps": step, "rows_read": rows, "hours": round(seconds / 3600, 2), **asdict(stage)}


def understood(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; end with a sentence where one lacks that the action needs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=("train", "teach", "export"))
    parser.add_argument("--data", type=Path, required=True, help="directory of train, valid and test.tsv.xz")
    parser.add_argument("--weights", type=Path, help="directory of the pretrained encoder")
    parser.add_argument("--checkpoint", type=Path, help="written, and gone on from if there")
    parser.add_argument("--start", help="model directory of the stage before; without it, the first stage")
    parser.add_argument(
        "--teacher", type=Path, help="soft labels (.npy): written by teach, read with --start"
    )
    parser.add_argument("--minutes", type=float, help="time that the stage takes")
    parser.add_argument("--out", type=Path, help="directory of the model to write")
    parser.add_argument("--remark", action="append", default=[], help="a sentence for the model card")
    parser.add_argument("--fp32", action="store_true", help="for machines whose bf16 products are slow")
    given = parser.parse_args(arguments)
    for name in NEEDED[given.action] + (("teacher",) if given.action == "train" and given.start else ()):
        if getattr(given, name) is None:
            parser.error(f"{given.action} needs --{name}.")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m nifos_stream.training.bundled`."""
    given = understood(arguments)
    files = Files(given.data, given.weights, given.checkpoint, given.start, given.teacher)
    try:
        stage = stage_after(given.start)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    seconds = stage.plan.seconds if given.minutes is None else given.minutes * 60
    stage = replace(stage, plan=replace(stage.plan, seconds=seconds, bf16=not given.fp32))
    if given.action == "teach":
        teach(given.data, given.teacher)
    elif given.action == "train":
        train(files, stage)
    else:
        judged = write(files, given.out, stage, given.remark)
        print(json.dumps({name: one.as_dict() for name, one in judged.items()}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
