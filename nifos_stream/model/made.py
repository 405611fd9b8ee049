"""Models of a given shape and of random weights, to measure with. They know nothing of any text."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from transformers import ElectraConfig, ElectraForSequenceClassification

from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS_KO
from nifos_stream.model import directory, place

MAX_LENGTH = 60
SHAPES: dict[str, dict[str, Any]] = {
    "koelectra-base": {
        "embedding_size": 768,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
    },
    "null": {
        "embedding_size": 1,
        "hidden_size": 1,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 1,
    },
}
"""monologg/koelectra-base-v3, and a model of one layer and one unit that takes next to no time."""


def write_random(path: Path, shape: str, vocabulary: Path | None = None, seed: int = 0) -> None:
    """Write a model directory of a shape out of SHAPES.

    vocabulary: WordPiece entries, one a line; without it the bundled model's tokenizer is taken. UserError
    when it cannot be read.
    """
    path.mkdir(parents=True)
    if vocabulary is not None:
        try:
            shutil.copyfile(vocabulary, path / "vocab.txt")
        except OSError as error:
            raise UserError(f"{vocabulary} cannot be read: {error.strerror}.") from None
    else:
        shutil.copyfile(directory.find(place.BUNDLED) / "tokenizer.json", path / "tokenizer.json")
    tokenizer = directory.read_tokenizer(path)
    tokenizer.save(str(path / "tokenizer.json"))
    entries = tokenizer.get_vocab_size(with_added_tokens=True)
    labels = dict(enumerate(LABELS_KO.values()))
    config = ElectraConfig(vocab_size=entries, id2label=labels, **SHAPES[shape])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = cast(torch.nn.Module, ElectraForSequenceClassification(config))
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    module.save_pretrained(path)  # type: ignore[operator]
    manifest = {"name": f"random {shape}", "max_length": MAX_LENGTH}
    (path / "nifos.json").write_text(json.dumps(manifest), encoding="utf-8")
