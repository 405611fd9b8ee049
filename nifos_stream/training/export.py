"""Write a model directory: what the worker serves. Knows nothing of the corpus or of training."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import ElectraConfig

from nifos_stream.messages import LABELS

FORMAT = 1
_SENTENCEPIECE_NAMES = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
}
_BERT_NAMES = {
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "mask_token": "[MASK]",
}


@dataclass(frozen=True, slots=True)
class About:
    """What decides a label beside weights and tokenizer.

    max_length: tokens with both special ones. kept: the class of characters that the step `kept` keeps.
    weights: how they are stored.
    """

    name: str
    max_length: int
    cleaning: tuple[str, ...]
    temperature: float = 1.0
    kept: str = ""
    weights: Literal["plain", "int8-rows"] = "int8-rows"


def int8_rows(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Store each matrix as int8 with one scale per row, and everything else as it is.

    W (rows, columns) becomes `NAME` int8 and `NAME.scale` float32 (rows,); W is about int8 * scale[:, None].
    """
    stored: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if tensor.ndim != 2:
            stored[name] = tensor.float().contiguous() if tensor.is_floating_point() else tensor.contiguous()
            continue
        # A row of zeros has no scale of its own.
        scale = (tensor.float().abs().amax(1) / 127).clamp_min(torch.finfo(torch.float32).tiny)
        stored[name] = (tensor.float() / scale[:, None]).round().clamp(-127, 127).to(torch.int8)
        stored[f"{name}.scale"] = scale
    return stored


def write(
    directory: Path,
    state: Mapping[str, Tensor],
    config: ElectraConfig,
    tokenizer: Tokenizer,
    about: About,
) -> None:
    """Write weights, config.json, tokenizer and nifos.json into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    config.architectures = ["ElectraForSequenceClassification"]
    config.save_pretrained(directory)
    stored = int8_rows(state) if about.weights == "int8-rows" else _fp32(state)
    save_file(stored, directory / "model.safetensors", metadata={"format": "pt"})
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(directory / "tokenizer.json"))
    _write_json(directory / "tokenizer_config.json", _tokenizer_config(tokenizer, about.max_length))
    write_about(directory, about)


def write_about(directory: Path, about: About) -> None:
    """Write nifos.json alone."""
    _write_json(
        directory / "nifos.json",
        {
            "format": FORMAT,
            "name": about.name,
            "max_length": about.max_length,
            "labels": [label.value for label in LABELS],
            "cleaning": list(about.cleaning),
            **({"kept": about.kept} if about.kept else {}),
            "temperature": about.temperature,
            "weights": about.weights,
        },
    )


def _fp32(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: (tensor.float() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in state.items()
    }


def _tokenizer_config(tokenizer: Tokenizer, max_length: int) -> dict[str, object]:
    """What transformers must know beside tokenizer.json, which is read as it is."""
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    names = _BERT_NAMES if "[CLS]" in vocabulary else _SENTENCEPIECE_NAMES
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        **{name: piece for name, piece in names.items() if piece in vocabulary},
        "model_input_names": ["input_ids", "attention_mask"],
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
