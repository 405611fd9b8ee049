"""The pretrained encoder that the bundled model starts from, cut to its shape, and its tokenizer.

Knows nothing of the corpus or of training.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.normalizers import NFKC
from tokenizers.pre_tokenizers import Metaspace, WhitespaceSplit
from tokenizers.pre_tokenizers import Sequence as PreTokenizers
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers import ElectraConfig, ElectraForSequenceClassification

LAYERS = (0, 2, 4, 6, 8, 11)
LABELS_KO = ("부정", "중립", "긍정")
WEIGHTS_FILE = "e5small_ko_pruned_fp16.npz"
PIECES_FILE = "pieces.txt"
SPECIAL_PIECES = ("<s>", "<pad>", "</s>", "<unk>")
# A text that holds "<s>" as typed characters is read as these characters, not as the special piece.
SPECIAL_SCORE = -100.0

_PER_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}


def config(*, layers: int, pieces: int, dropout: float) -> ElectraConfig:
    """Return the bundled shape: width 384, 12 heads, feed-forward 1536, three labels."""
    return ElectraConfig(
        vocab_size=pieces,
        embedding_size=384,
        hidden_size=384,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=512,
        pad_token_id=1,
        hidden_dropout_prob=dropout,
        # Dropping attention weights would rule out torch's fused attention on CPU.
        attention_probs_dropout_prob=0.0,
        classifier_dropout=dropout,
        id2label=dict(enumerate(LABELS_KO)),
        label2id={name: index for index, name in enumerate(LABELS_KO)},
    )


def pretrained(
    directory: Path, *, layers: Sequence[int] = LAYERS, dropout: float = 0.1
) -> ElectraForSequenceClassification:
    """Build a classifier from the stored encoder's chosen layers; only its head is new."""
    with np.load(directory / WEIGHTS_FILE) as stored:
        weights = {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored.files}
    shape = config(layers=len(layers), pieces=len(weights["emb.word"]), dropout=dropout)
    model = ElectraForSequenceClassification(shape)
    missing, unexpected = model.load_state_dict(_renamed(weights, layers), strict=False)
    headless = [name for name in missing if not name.startswith("classifier.")]
    if headless or unexpected:
        raise ValueError(f"The encoder does not fit: missing {headless}, unexpected {unexpected}.")
    return model


def _renamed(weights: dict[str, Tensor], layers: Sequence[int]) -> dict[str, Tensor]:
    state = {f"electra.embeddings.{name}": weights[short] for short, name in _EMBEDDINGS.items()}
    for place, layer in enumerate(layers):
        for short, name in _PER_LAYER.items():
            for kind, suffix in (("w", "weight"), ("b", "bias")):
                target = f"electra.encoder.layer.{place}.{name}.{suffix}"
                state[target] = weights[f"l{layer}.{short}.{kind}"]
    return state


def tokenizer(directory: Path) -> Tokenizer:
    """Build the unigram tokenizer of the stored encoder: NFKC, metaspace, `<s> text </s>`."""
    pieces = (directory / PIECES_FILE).read_text(encoding="utf-8").split("\n")
    with np.load(directory / WEIGHTS_FILE) as stored:
        scores = stored["vocab_scores"].astype(float).tolist()
    if not pieces[-1]:
        pieces = pieces[:-1]
    return unigram(pieces, scores)


def unigram(pieces: Sequence[str], scores: Sequence[float]) -> Tokenizer:
    """Build a tokenizer from pieces and their scores, the four special pieces first; else ValueError."""
    if len(pieces) != len(scores) or tuple(pieces[:4]) != SPECIAL_PIECES:
        raise ValueError("Pieces and scores must pair up and begin with <s>, <pad>, </s>, <unk>.")
    scored = [
        (piece, SPECIAL_SCORE if place < len(SPECIAL_PIECES) else score)
        for place, (piece, score) in enumerate(zip(pieces, scores, strict=True))
    ]
    built = Tokenizer(Unigram(scored, unk_id=3, byte_fallback=False))
    built.normalizer = NFKC()
    built.pre_tokenizer = PreTokenizers([WhitespaceSplit(), Metaspace(prepend_scheme="always")])
    built.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return built
