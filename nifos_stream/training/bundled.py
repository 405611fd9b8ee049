"""Make the model that ships with the package: pretrained encoder, six layers, the whole corpus.

python -m nifos_stream.training.bundled train --data DIR --weights DIR --checkpoint FILE --minutes 130
python -m nifos_stream.training.bundled export --data DIR --weights DIR --checkpoint FILE --out DIR
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import ElectraForSequenceClassification

from nifos_stream.model import load_model
from nifos_stream.model.cleaning import Cleaning
from nifos_stream.settings import ModelSettings
from nifos_stream.training import card, corpus, encoder, export, temperature
from nifos_stream.training.batches import Mix, batches
from nifos_stream.training.evaluate import Evaluation, classify, evaluate, judge
from nifos_stream.training.loop import Plan, Progress, Training, with_row_dropout

NAME = "nifos-stream-ko-small"
CLEANING = Cleaning(("nfc", "line_breaks", "repeats", "spaces"))
MAX_LENGTH = 60
# Human-labelled sources are small and judged most; the ratings are many and noisy.
PASSES = {
    "nsmc_raw": 1.0,
    "kodoli": 4.0,
    "kote": 10.0,
    "sentineg": 5.0,
    "goemotions_ko": 1.5,
    "3i4k_weak": 0.4,
    "chatbot_weak": 1.0,
}
TOKENS_PER_BATCH = 1100
DROPOUT = 0.1
JUDGED = ("test", "nsmc_binary_holdout")
# Enough rows for one number, a third of the time.
VALID_EVERY = 3
EXACT = ModelSettings(dtype="fp32")
SAMPLE = {"nsmc_raw": 1000, "goemotions_ko": 500, "kodoli": 1500}


def token_ids(tokenizer: Tokenizer, rows: Sequence[corpus.Row]) -> list[list[int]]:
    """Clean and tokenize each row once, cut to MAX_LENGTH tokens with both special ones."""
    tokenizer.enable_truncation(MAX_LENGTH)
    encodings = tokenizer.encode_batch_fast([CLEANING(row.text) for row in rows])
    return [encoding.ids for encoding in encodings]


def predict(model: ElectraForSequenceClassification, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """Return the logits (texts, 3) of token ids, computed in groups of equal length."""
    model.train(False)
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    logits = np.zeros((len(ids), 3), dtype=np.float32)
    start = 0
    while start < len(order):
        length = len(ids[order[start]])
        group = [row for row in order[start : start + 128] if len(ids[row]) == length]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            answer = model(input_ids=torch.tensor([ids[row] for row in group])).logits.float()
        logits[group] = answer.numpy()
        start += len(group)
    return logits


def validation_sample(rows: Sequence[corpus.Row]) -> list[corpus.Row]:
    """Take the first rows of each source, all of the small ones; always the same."""
    taken: Counter[str] = Counter()
    sample = []
    for row in rows:
        taken[row.source] += 1
        if taken[row.source] <= SAMPLE.get(row.source, len(rows)):
            sample.append(row)
    return sample


def row_weights(rows: Sequence[corpus.Row]) -> NDArray[np.float64]:
    """Return a weight per row: a source weighs as the root of its rows, its negative and positive alike.

    So the small sources are heard, and that raters give mostly nine and ten stars says nothing of posts.
    """
    rows_of = Counter(row.source for row in rows)
    rows_of_label = Counter((row.source, row.label) for row in rows)
    weights = []
    for row in rows:
        poles = rows_of_label[row.source, 0], rows_of_label[row.source, 2]
        balance = (
            sum(poles) / 2 / rows_of_label[row.source, row.label] if row.label != 1 and all(poles) else 1.0
        )
        weights.append(balance * rows_of[row.source] ** -0.5)
    return np.array(weights)


def figures(rows: Sequence[corpus.Row], logits: NDArray[np.float32]) -> dict[str, float]:
    """Return accuracy per source, pooled, and macro F1, of logits (rows, 3)."""
    labels = np.array([row.label for row in rows])
    sources = np.array([row.source for row in rows])
    said = logits.argmax(1)
    result = {source: float((said == labels)[sources == source].mean()) for source in np.unique(sources)}
    f1 = [
        2 * ((said == c) & (labels == c)).sum() / max(1, (said == c).sum() + (labels == c).sum())
        for c in range(3)
    ]
    binary = labels != 1
    result["pooled"] = float((said == labels).mean())
    result["macro_f1"] = float(np.mean(f1))
    result["binary"] = float(((logits[:, 2] > logits[:, 0]) == (labels == 2))[binary].mean())
    return {name: round(value, 4) for name, value in result.items()}


def train(data: Path, weights: Path, checkpoint: Path, plan: Plan) -> Progress:
    """Train within the plan's time, going on from the checkpoint when there is one."""
    torch.set_num_threads(1)
    torch.manual_seed(plan.seed)
    tokenizer = encoder.tokenizer(weights)
    rows = corpus.read(data / "train.tsv.xz")
    ids = token_ids(tokenizer, rows)
    valid = validation_sample(corpus.read(data / "valid.tsv.xz"))
    valid_ids = token_ids(tokenizer, valid)
    model = encoder.pretrained(weights, dropout=DROPOUT)
    with_row_dropout(model)
    mix = Mix(PASSES, TOKENS_PER_BATCH, plan.seed)
    lengths, sources = [len(one) for one in ids], [row.source for row in rows]
    training = Training(model, plan, batches(lengths, sources, mix), ids, [row.label for row in rows])
    if checkpoint.exists():
        training.resume(checkpoint)
    print(json.dumps({"rows": len(rows), "plan": asdict(plan), "step": training.step}), flush=True)

    def report(progress: Progress) -> None:
        print(json.dumps(asdict(progress) | figures(valid, predict(model, valid_ids))), flush=True)

    return training.run(checkpoint, report)


def write(
    data: Path, weights: Path, checkpoint: Path, out: Path, plan: Plan, remarks: Sequence[str] = ()
) -> dict[str, Evaluation]:
    """Write the model directory of a checkpoint, calibrated on the validation file.

    remarks: sentences for the card that the checkpoint cannot know, such as another mix of its first hours.
    1. Write its weights. 2. Balance the labels. 3. Fit the temperature. 4. Judge, and write the card.
    """
    state = torch.load(checkpoint, weights_only=True)
    model = encoder.pretrained(weights, dropout=DROPOUT)
    about = export.About(NAME, MAX_LENGTH, CLEANING.steps)
    tokenizer = encoder.tokenizer(weights)
    export.write(out, state["model"], model.config, tokenizer, about)
    valid = corpus.read(data / "valid.tsv.xz")[::VALID_EVERY]
    told = classify(load_model(out, settings=EXACT), [row.text for row in valid])
    logits, labels = np.log(np.maximum(told, 1e-12)), np.array([row.label for row in valid])
    weighed = row_weights(valid)
    offsets = temperature.offsets(labels, logits, weighed)
    state["model"]["classifier.out_proj.bias"] += torch.from_numpy(offsets).float()
    about = replace(about, temperature=temperature.fit(labels, logits + offsets, weighed))
    export.write(out, state["model"], model.config, tokenizer, about)
    fingerprint = corpus.fingerprint(data / "valid.tsv.xz")
    judged = {f"valid, 1 of {VALID_EVERY}": judge(load_model(out, settings=EXACT), valid, fingerprint)}
    judged |= {name: evaluate(out, data / f"{name}.tsv.xz", settings=EXACT) for name in JUDGED}
    step, rows, seconds, _ = state["place"]
    history = {
        "steps": step,
        "rows_read": rows,
        "hours": round(seconds / 3600, 2),
        "layers": encoder.LAYERS,
        "dropout": DROPOUT,
        "passes": PASSES,
        "tokens_per_batch": TOKENS_PER_BATCH,
        "plan": asdict(plan),
        "offsets": [round(float(offset), 4) for offset in offsets],
    }
    read = f"The training read {rows:,} rows in {step:,} steps, small sources several times, not each rating."
    counts = card.counted(data / "train.tsv.xz")
    card.write(out, about, counts, history, judged, remarks=(read, *remarks, *card.REMARKS))
    return judged


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m nifos_stream.training.bundled`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=("train", "export"))
    parser.add_argument("--data", type=Path, required=True, help="directory of train, valid and test.tsv.xz")
    parser.add_argument("--weights", type=Path, required=True, help="directory of the pretrained encoder")
    parser.add_argument("--checkpoint", type=Path, required=True, help="written, and gone on from if there")
    parser.add_argument("--minutes", type=float, default=130.0, help="time that the training takes")
    parser.add_argument("--out", type=Path, help="directory of the model to write")
    parser.add_argument("--remark", action="append", default=[], help="a sentence for the model card")
    parser.add_argument("--fp32", action="store_true", help="for machines whose bf16 products are slow")
    given = parser.parse_args(arguments)
    plan = Plan(seconds=given.minutes * 60, bf16=not given.fp32)
    if given.action == "train":
        train(given.data, given.weights, given.checkpoint, plan)
    elif given.out is None:
        parser.error("export needs --out.")
    else:
        judged = write(given.data, given.weights, given.checkpoint, given.out, plan, given.remark)
        print(json.dumps({name: one.as_dict() for name, one in judged.items()}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
