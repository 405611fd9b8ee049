"""Write a model directory: what the worker serves. Knows nothing of the corpus or of training."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import ElectraConfig

from nifos_stream.messages import LABELS

FORMAT = 1


@dataclass(frozen=True, slots=True)
class About:
    """What decides a label beside weights and tokenizer. max_length: tokens with both special ones."""

    name: str
    max_length: int
    cleaning: tuple[str, ...]
    temperature: float = 1.0


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
    """Write weights (int8-rows), config.json, tokenizer and nifos.json into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    config.architectures = ["ElectraForSequenceClassification"]
    config.save_pretrained(directory)
    save_file(int8_rows(state), directory / "model.safetensors", metadata={"format": "pt"})
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(directory / "tokenizer.json"))
    _write_json(directory / "tokenizer_config.json", _tokenizer_config(about.max_length))
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
            "temperature": about.temperature,
            "weights": "int8-rows",
        },
    )


def _tokenizer_config(max_length: int) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "model_input_names": ["input_ids", "attention_mask"],
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
