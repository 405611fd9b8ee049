"""Tiny models of random weights, saved as any model directory is."""

import json
from pathlib import Path

import tokenizers
import torch
from tokenizers import models, normalizers, pre_tokenizers, processors
from transformers import ElectraConfig, ElectraForSequenceClassification

from nifos_stream.model import directory

WORDS = [
    "좋아요",
    "별로",
    "그저",
    "정말",
    "숲",
    "산",
    "길",
    "예요",
    "##다",
    "##요",
    "##가",
    "!",
    ".",
    "?",
    "~",
    "ㅋ",
    "ㅠ",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_tokenizer() -> tokenizers.Tokenizer:
    """WordPiece over a few words and every Hangul syllable, as KoELECTRA's is over 35,000."""
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4)]
    letters = [chr(code) for code in range(0x21, 0x7F)] + [chr(code) for code in range(0x3131, 0x318F)]
    entries = dict.fromkeys(
        [*SPECIAL, *WORDS, *letters, *(f"##{c}" for c in letters + syllables), *syllables]
    )
    vocabulary = {entry: i for i, entry in enumerate(entries)}
    tokenizer = tokenizers.Tokenizer(
        models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=None, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def make_module(
    vocabulary: int, *, layers: int = 1, hidden: int = 16, embedding: int | None = None, seed: int = 0
) -> ElectraForSequenceClassification:
    """Random weights, large enough that texts differ in their labels."""
    config = ElectraConfig(
        vocab_size=vocabulary,
        embedding_size=embedding or hidden,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 8),
        intermediate_size=2 * hidden,
        max_position_embeddings=64,
        id2label={0: "부정", 1: "중립", 2: "긍정"},
        label2id={"부정": 0, "중립": 1, "긍정": 2},
    )
    generator_state = torch.get_rng_state()
    torch.manual_seed(seed)
    module = ElectraForSequenceClassification(config).eval()
    with torch.no_grad():
        for weights in module.parameters():
            weights.add_(torch.randn_like(weights) * 0.15)
    torch.set_rng_state(generator_state)
    return module


def make_model_dir(
    path: Path,
    *,
    layers: int = 1,
    hidden: int = 16,
    embedding: int | None = None,
    seed: int = 0,
    **manifest: object,
) -> Path:
    """Save a model that is very fast and knows nothing. manifest: fields of nifos.json to change."""
    tokenizer = make_tokenizer()
    module = make_module(
        tokenizer.get_vocab_size(), layers=layers, hidden=hidden, embedding=embedding, seed=seed
    )
    module.save_pretrained(path)
    tokenizer.save(str(path / "tokenizer.json"))
    described = {
        "format": 1,
        "name": "tiny",
        "max_length": 60,
        "labels": ["negative", "neutral", "positive"],
        "cleaning": ["nfc", "line_breaks", "repeats", "spaces"],
        "temperature": 1.0,
        "weights": "plain",
    }
    (path / "nifos.json").write_text(json.dumps(described | manifest), encoding="utf-8")
    return path


def make_model_like(model: str, path: Path) -> Path:
    """Save a model with the tokenizer, cleaning and length of another one, and small random weights."""
    source = directory.find(model)
    tokenizer = directory.read_tokenizer(source)
    make_module(tokenizer.get_vocab_size(), layers=1, hidden=8).save_pretrained(path)
    tokenizer.save(str(path / "tokenizer.json"))
    told = json.loads((source / "nifos.json").read_text(encoding="utf-8"))
    told |= {"weights": "plain", "labels": ["negative", "neutral", "positive"]}
    (path / "nifos.json").write_text(json.dumps(told), encoding="utf-8")
    return path
