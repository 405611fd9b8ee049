"""ELECTRA's forward pass over packed rows: no padding, and in the last layer only what the head reads.

Knows nothing of texts, labels or caches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import ElectraForSequenceClassification

from nifos_stream.errors import UserError
from nifos_stream.model.attention import Packing, attend, few, filled, pack, to_device, varlen_available
from nifos_stream.model.linear import Linear, make_linear, rows_dtype


class MakeLinear(Protocol):
    """Makes one layer out of a weight (out, in) and a bias (out,)."""

    def __call__(
        self, weight: Tensor, bias: Tensor, *, gelu: bool = False, after_gelu: bool = False
    ) -> Linear:
        """Return the layer."""


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: Tensor
    bias: Tensor
    epsilon: float

    def __call__(self, rows: Tensor) -> Tensor:
        return functional.layer_norm(rows, rows.shape[-1:], self.weight, self.bias, self.epsilon)


@dataclass(frozen=True, slots=True)
class _Layer:
    query: Linear | None
    """Of the last layer alone, which asks for first rows only."""
    inputs: Linear
    """Query, key and value in one product; in the last layer key and value."""
    attended: Linear
    attended_norm: _Norm
    inner: Linear
    outer: Linear
    outer_norm: _Norm


class PackedElectra:
    """The classifier in `module`, rewritten for packed rows.

    dtype: fp32, bf16, fp16 or int8 (products alone). layers: run only so many, for measuring.
    """

    @torch.no_grad()
    def __init__(
        self,
        module: ElectraForSequenceClassification,
        *,
        dtype: str,
        device: torch.device,
        layers: int | None = None,
    ) -> None:
        config = module.config
        if config.hidden_act != "gelu":
            raise UserError(f"The model's activation is {config.hidden_act}; only gelu can be run.")
        self.device = device
        self._rows_dtype = rows_dtype(dtype)
        self._heads = config.num_attention_heads
        self._varlen = varlen_available(
            self._rows_dtype, device, config.hidden_size // config.num_attention_heads
        )

        linear: MakeLinear = partial(make_linear, dtype=dtype, device=device)
        body: Any = module.electra
        embeddings = body.embeddings
        places = embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]
        self._words = self._moved(embeddings.word_embeddings.weight)
        self._places = self._moved(places)
        self._norm = self._norm_of(embeddings.LayerNorm)
        projection = getattr(body, "embeddings_project", None)
        self._projection = linear(projection.weight, projection.bias) if projection is not None else None
        chosen = list(body.encoder.layer)[:layers]
        self._layers = [self._layer(layer, linear, last=layer is chosen[-1]) for layer in chosen]
        head = module.classifier
        # So few rows are not worth fewer digits.
        exact = "fp32" if dtype == "int8" else dtype
        self._head = make_linear(head.dense.weight, head.dense.bias, dtype=exact, device=device, gelu=True)
        # Three columns are no product worth a kernel, and a logit deserves all its digits.
        self._out = [
            part.detach().to(device, torch.float32) for part in (head.out_proj.weight, head.out_proj.bias)
        ]

    def _moved(self, tensor: Tensor) -> Tensor:
        return tensor.detach().to(self.device, self._rows_dtype)

    def _norm_of(self, norm: torch.nn.LayerNorm) -> _Norm:
        return _Norm(self._moved(norm.weight), self._moved(norm.bias), norm.eps)

    def _layer(self, layer: Any, linear: MakeLinear, *, last: bool) -> _Layer:
        this, out = layer.attention.self, layer.attention.output
        # The division by the square root of head_dim is done once, in the weights.
        scale = this.attention_head_size**-0.5
        query = (this.query.weight * scale, this.query.bias * scale)
        inputs = [(this.key.weight, this.key.bias), (this.value.weight, this.value.bias)]
        if not last:
            inputs.insert(0, query)
        return _Layer(
            query=linear(*query) if last else None,
            inputs=linear(*(torch.cat(parts) for parts in zip(*inputs, strict=True))),
            attended=linear(out.dense.weight, out.dense.bias),
            attended_norm=self._norm_of(out.LayerNorm),
            inner=linear(layer.intermediate.dense.weight, layer.intermediate.dense.bias, gelu=True),
            outer=linear(layer.output.dense.weight, layer.output.dense.bias, after_gelu=True),
            outer_norm=self._norm_of(layer.output.LayerNorm),
        )

    @torch.inference_mode()
    def __call__(self, ids: np.ndarray, lengths: Sequence[int]) -> Tensor:
        """Return the logits of each text, float32 (texts, labels), on the device, perhaps not ready yet.

        ids: int32 (tokens,), all texts one after another. lengths: tokens of each text, best sorted.
        """
        rounded = self.device.type == "cpu"
        packing = pack(lengths, self.device, varlen=self._varlen, rounded=rounded)
        if rounded:
            ids = filled(ids, few(len(ids)))
        rows = functional.embedding(to_device(ids, self.device), self._words)
        rows = self._norm(rows.add_(self._places[packing.positions]))
        if self._projection is not None:
            rows = self._projection(rows)
        for layer in self._layers:
            rows = self._run(layer, rows, packing)
        return functional.linear(self._head(rows).float(), *self._out)[: len(lengths)]

    def _run(self, layer: _Layer, rows: Tensor, packing: Packing) -> Tensor:
        parts = layer.inputs(rows).view(len(rows), -1, self._heads, rows.shape[1] // self._heads)
        if layer.query is None:
            query, key, value = parts.unbind(1)
        else:
            rows = rows[packing.firsts]
            query = layer.query(rows).view(len(rows), self._heads, -1)
            key, value = parts.unbind(1)
        attended = attend(query, key, value, packing, firsts_alone=layer.query is not None)
        rows = layer.attended_norm(layer.attended(attended, rows))
        return layer.outer_norm(layer.outer(layer.inner(rows), rows))
