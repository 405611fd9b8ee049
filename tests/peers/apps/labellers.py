"""From texts to sentiments: transformers' pipeline, or nifos-stream's classifier. Knows no stream."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.peers.apps.job import Job

BATCH = 64
STARTED = "posts.in_hand"
"""What a program prints once it has its first posts in hand."""

Sentiment = dict[str, Any]
Labeller = Callable[[Sequence[str]], list[Sentiment]]

WARM_UP = ["첫 글은 오래 걸려요", "두 번째부터는 아니고요."]


def labeller(job: Job) -> Labeller:
    return ready(
        ours(job.model, job.dtype, job.chunk_tokens)
        if job.labelling == "ours"
        else transformers(job.model, job.dtype)
    )


def transformers(model: str, dtype: str) -> Labeller:
    """The pipeline, as transformers' documentation of batching calls it; it does not sort."""
    import torch
    from transformers import pipeline

    classify = pipeline(
        "text-classification",
        model=model,
        dtype={"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[dtype],
        device=0 if torch.cuda.is_available() else -1,
        top_k=None,
    )

    def label(texts: Sequence[str]) -> list[Sentiment]:
        return [scored(found) for found in classify(list(texts), batch_size=BATCH, truncation=True)]

    return label


def ours(model: str, dtype: str, chunk_tokens: int) -> Labeller:
    from nifos_stream.messages import LABELS
    from nifos_stream.model import load_model
    from nifos_stream.settings import ModelSettings

    classifier = load_model(model, settings=ModelSettings(dtype=dtype, chunk_tokens=chunk_tokens))

    def label(texts: Sequence[str]) -> list[Sentiment]:
        return [
            sentiment(dict(zip(map(str, LABELS), reading.probabilities, strict=True)))
            for reading in classifier.classify(texts)
        ]

    return label


def ready(label: Labeller) -> Labeller:
    """Warm it up; from then on the first call says that the first posts are there."""
    label(WARM_UP)
    begun = False

    def first_says_so(texts: Sequence[str]) -> list[Sentiment]:
        nonlocal begun
        if not begun:
            begun = True
            print(STARTED, flush=True)
        return label(texts)

    return first_says_so


def scored(found: Sequence[Mapping[str, Any]]) -> Sentiment:
    """From the pipeline's [{"label": …, "score": …}, …] of one text."""
    return sentiment({row["label"]: row["score"] for row in found})


def sentiment(probabilities: Mapping[str, float]) -> Sentiment:
    label = max(probabilities, key=probabilities.__getitem__)
    return {"label": label, "score": probabilities[label], "probabilities": dict(probabilities)}
