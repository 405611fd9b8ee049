"""The validation rows that a long training looks at: which, how much each weighs, what a model says of them.

Knows nothing of how the model is trained.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import ElectraForSequenceClassification

from nifos_stream.training import corpus

# Rows of the large sources that are read for a report; of the others all.
SAMPLE = {"nsmc_raw": 1000, "goemotions_ko": 500, "kodoli": 1500}

# Sources that people labelled; a model is judged on these.
PEOPLE = ("kodoli", "kote", "sentineg")
MOST_LOST = 0.02


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


def figures(rows: Sequence[corpus.Row], logits: NDArray[np.floating]) -> dict[str, float]:
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


def neutral_offset(rows: Sequence[corpus.Row], logits: NDArray[np.floating]) -> float:
    """Return what to add to the logit of neutral for the best macro F1, at most 1.

    No source of PEOPLE may lose more than MOST_LOST of its accuracy. Neutral is a third of macro F1, however
    few rows carry it, and the smallest cross-entropy finds too few of them.
    """
    before = best = figures(rows, logits)
    found = 0.0
    for offset in np.arange(0.05, 1.001, 0.05):
        now = figures(rows, logits + np.array([0.0, offset, 0.0]))
        if any(before[source] - now[source] > MOST_LOST for source in PEOPLE if source in before):
            break
        if now["macro_f1"] > best["macro_f1"]:
            found, best = round(float(offset), 2), now
    return found
