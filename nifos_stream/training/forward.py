"""The forward pass of a training batch: texts of one length, so no mask, and a short last layer.

Knows nothing of labels. Gives what transformers' own forward gives.
"""

from typing import Any

from torch import Tensor
from transformers import ElectraForSequenceClassification


def logits(model: ElectraForSequenceClassification, words: Tensor) -> Tensor:
    """Return the logits (texts, labels) of word embeddings (texts, tokens, width) without padding."""
    answer: Tensor = model.classifier(first_tokens(model, words))
    return answer


def first_tokens(model: ElectraForSequenceClassification, words: Tensor) -> Tensor:
    """Return the encoder's last states of each text's first token (texts, 1, width).

    Only the first token of a text goes through the head, so in the last layer the others are read
    (keys and values) and not carried further: a seventh of the arithmetic of six layers.
    """
    layers: Any = model.electra.encoder.layer  # Modules of torch say nothing of their own modules' types.
    hidden: Tensor = model.electra.embeddings(inputs_embeds=words)
    *carried, last = layers
    for layer in carried:
        attended = layer.attention.output(_attend(layer.attention.self, hidden, hidden), hidden)
        hidden = layer.output(layer.intermediate(attended), attended)
    first = hidden[:, :1]
    attended = last.attention.output(_attend(last.attention.self, first, hidden), first)
    states: Tensor = last.output(last.intermediate(attended), attended)
    return states


def _attend(attention: Any, asking: Tensor, hidden: Tensor) -> Tensor:
    texts, heads, width = len(hidden), attention.num_attention_heads, attention.attention_head_size
    query = (attention.query(asking) * width**-0.5).view(texts, -1, heads, width).transpose(1, 2)
    key = attention.key(hidden).view(texts, -1, heads, width).permute(0, 2, 3, 1)
    value: Tensor = attention.value(hidden).view(texts, -1, heads, width).transpose(1, 2)
    # The products of so short texts are small; torch's fused attention takes far longer to go back.
    weights: Tensor = (query @ key).softmax(-1).to(value.dtype)
    return (weights @ value).transpose(1, 2).reshape(texts, -1, heads * width)
