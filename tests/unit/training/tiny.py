"""A model of a few thousand weights and a tokenizer of some syllables, made without a download."""

import torch
from tokenizers import Tokenizer
from transformers import ElectraConfig, ElectraForSequenceClassification

from nifos_stream.training import encoder

PIECES = [*encoder.SPECIAL_PIECES, "▁", *"숲길산이좋았다나빴별로그냥.!?<>s", "▁좋았다", "▁나빴다", "▁숲"]
SCORES = [0.0, 0.0, 0.0, 0.0, *(-3.0 for _ in PIECES[4:])]


def tokenizer() -> Tokenizer:
    """Return a unigram tokenizer of the bundled kind."""
    return encoder.unigram(PIECES, SCORES)


def config(dropout: float = 0.1) -> ElectraConfig:
    """Return a shape of two layers, width 16, for that tokenizer."""
    return ElectraConfig(
        vocab_size=len(PIECES),
        embedding_size=16,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        pad_token_id=1,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=dropout,
        id2label=dict(enumerate(encoder.LABELS_KO)),
        label2id={name: index for index, name in enumerate(encoder.LABELS_KO)},
    )


def model(seed: int = 0, dropout: float = 0.1) -> ElectraForSequenceClassification:
    """Return a model with random weights that the seed decides."""
    torch.manual_seed(seed)
    return ElectraForSequenceClassification(config(dropout))
