"""The pretrained model that a training starts from, with a head of three labels. Knows no data.

A directory or a hub name, of today's kind (model.safetensors, tokenizer.json) or of the kind that KoELECTRA's
repositories are: config.json, vocab.txt, tokenizer_config.json and pytorch_model.bin, of which nothing but
weights is read.
"""

import pickle  # Only the name of its error is used.
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import safetensors
import tokenizers
import torch
import transformers
from transformers import ElectraConfig, ElectraForSequenceClassification

from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS, LABELS_KO
from nifos_stream.model import directory

HEAD = "classifier."
_OLD_WEIGHTS = "pytorch_model.bin"


@dataclass(frozen=True, slots=True)
class Base:
    """Where a training starts: shape and vocabulary. name: as the person gave it."""

    name: str
    path: Path
    config: ElectraConfig
    tokenizer: tokenizers.Tokenizer


def read(name: str) -> Base:
    """Read a directory or hub name, or `bundled`; UserError in one sentence where it cannot be."""
    path = directory.find(name, also=(_OLD_WEIGHTS,))
    config = directory.read_config(path)
    tokenizer = directory.read_tokenizer(path)
    directory.check_vocabulary(path, config, tokenizer)
    return Base(name, path, config, tokenizer)


def check_length(base: Base, max_length: int) -> None:
    """Raise UserError when the base cannot read so many tokens."""
    most = base.config.max_position_embeddings
    if not 3 <= max_length <= most:
        raise UserError(
            f"{base.name} reads texts of 3 to {most} tokens, so a length of {max_length} cannot be."
        )


def labelled(config: ElectraConfig, *, dropout: float | None = None) -> ElectraConfig:
    """Return the shape with our three labels, and `dropout` in every dropout layer where it is given."""
    values: dict[str, Any] = config.to_dict()
    values["id2label"] = {place: LABELS_KO[label] for place, label in enumerate(LABELS)}
    values["label2id"] = {name: place for place, name in values["id2label"].items()}
    values.pop("num_labels", None)
    values["problem_type"] = "single_label_classification"
    if dropout is not None:
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"):
            values[name] = dropout
        values["summary_last_dropout"] = dropout
    return ElectraConfig.from_dict(values)


def empty(base: Base) -> ElectraForSequenceClassification:
    """Return the classifier of a base's shape, its weights still to come."""
    return ElectraForSequenceClassification(labelled(base.config))


def model(base: Base, *, dropout: float, seed: int) -> ElectraForSequenceClassification:
    """Load the weights of a base, in float32 on the CPU.

    The head is kept where the base has one of this shape, and is drawn from `seed` where not.
    UserError when weights of the body are missing.
    """
    transformers.set_seed(seed)
    config = labelled(base.config, dropout=dropout)
    if directory.read_manifest(base.path).weights == "int8-rows":
        module = ElectraForSequenceClassification(config)
        module.load_state_dict(directory.load(base.path).module.state_dict())
        return module
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        module, found = cast(
            tuple[ElectraForSequenceClassification, dict[str, Any]],
            ElectraForSequenceClassification.from_pretrained(
                base.path,
                config=config,
                local_files_only=True,
                dtype=torch.float32,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            ),
        )
    except pickle.UnpicklingError:
        raise UserError(
            f"{_OLD_WEIGHTS} of {base.name} holds more than weights, or is damaged; it is not read."
        ) from None
    except (OSError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise UserError(f"The weights of {base.name} cannot be read: {reason}.") from None
    strange = {*found["missing_keys"], *(name for name, *_ in found["mismatched_keys"])}
    if body := sorted(name for name in strange if not name.startswith(HEAD)):
        raise UserError(
            f"The weights of {base.name} do not fit its config.json: {body[0]} is not there in that shape."
        )
    return module
