"""A tiny base of the kind that KoELECTRA's hub repositories are: vocab.txt and pytorch_model.bin."""

import json
from pathlib import Path

import torch
from transformers import ElectraConfig, ElectraForPreTraining

SYLLABLES = [chr(code) for code in range(0xAC00, 0xAC00 + 11172, 7)]
PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "Forest",
    "forest",
    "숲",
    "##이",
    "##길",
    "좋",
    "##다",
    ".",
]
VOCABULARY = list(dict.fromkeys([*PIECES, *SYLLABLES, *(f"##{syllable}" for syllable in SYLLABLES)]))
CONFIG = {
    "architectures": ["ElectraForPreTraining"],
    "attention_probs_dropout_prob": 0.1,
    "embedding_size": 16,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 16,
    "initializer_range": 0.02,
    "intermediate_size": 32,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 64,
    "model_type": "electra",
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "summary_activation": "gelu",
    "summary_last_dropout": 0.1,
    "summary_type": "first",
    "summary_use_proj": True,
    "type_vocab_size": 2,
    "vocab_size": len(VOCABULARY),
}


def make(directory: Path) -> dict[str, torch.Tensor]:
    """Write such a directory; returns its weights, with the buffer that older transformers saved along."""
    directory.mkdir(parents=True)
    torch.manual_seed(1)
    weights = ElectraForPreTraining(ElectraConfig(**CONFIG)).state_dict()
    weights["electra.embeddings.position_ids"] = torch.arange(64)[None]
    (directory / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    (directory / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    told = {"do_lower_case": False, "model_max_length": 512}
    (directory / "tokenizer_config.json").write_text(json.dumps(told), encoding="utf-8")
    torch.save(weights, directory / "pytorch_model.bin")
    return weights
