"""ELECTRA's forward pass over packed rows: no padding, and in the last layer only what the head reads.

Knows nothing of texts, labels or caches.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import ElectraForSequenceClassification

from nifos_stream.errors import UserError
from nifos_stream.model.attention import Packing, attend, few, filled, pack, to_device, varlen_available
from nifos_stream.model.linear import Linear, make_linear, rows_dtype
from nifos_stream.model.scripted import scripted


class MakeLinear(Protocol):
    """Makes one layer out of a weight (out, in) and a bias (out,)."""

    def __call__(
        self, weight: Tensor, bias: Tensor, *, gelu: bool = False, after_gelu: bool = False
    ) -> Linear:
        """Return the layer."""


class _Norm(nn.Module):
    def __init__(self, weight: Tensor, bias: Tensor, epsilon: float) -> None:
        super().__init__()
        self._weight, self._bias, self._epsilon = weight, bias, epsilon

    def forward(self, rows: Tensor) -> Tensor:
        return functional.layer_norm(rows, rows.shape[-1:], self._weight, self._bias, self._epsilon)


class _Layer(nn.Module):
    """query: of the last layer alone, which asks for first rows only.

    inputs: query, key and value in one product; in the last layer key and value.
    """

    def __init__(
        self,
        *,
        heads: int,
        query: Linear | None,
        inputs: Linear,
        attended: Linear,
        attended_norm: _Norm,
        inner: Linear,
        outer: Linear,
        outer_norm: _Norm,
    ) -> None:
        super().__init__()
        self._heads, self._query, self._inputs = heads, query, inputs
        self._attended, self._attended_norm = attended, attended_norm
        self._inner, self._outer, self._outer_norm = inner, outer, outer_norm

    def forward(self, rows: Tensor, packing: Packing) -> Tensor:
        parts = self._inputs(rows).view(len(rows), -1, self._heads, rows.shape[1] // self._heads)
        if self._query is None:
            query, key, value = parts.unbind(1)
        else:
            rows = rows[packing.firsts]
            query = self._query(rows).view(len(rows), self._heads, -1)
            key, value = parts.unbind(1)
        attended = attend(query, key, value, packing, self._query is not None)
        rows = self._attended_norm(self._attended(attended, rows))
        return self._outer_norm(self._outer(self._inner(rows), rows))  # type: ignore[no-any-return]


class _Body(nn.Module):
    """From token ids to the logits of each text."""

    def __init__(
        self,
        *,
        words: Tensor,
        places: Tensor,
        norm: _Norm,
        projection: Linear | None,
        layers: Sequence[_Layer],
        head: Linear,
        out: tuple[Tensor, Tensor],
    ) -> None:
        super().__init__()
        self._words, self._places, self._norm, self._projection = words, places, norm, projection
        self._layers = nn.ModuleList(layers)
        self._head = head
        self._out_weight, self._out_bias = out

    def forward(self, ids: Tensor, packing: Packing) -> Tensor:
        rows = functional.embedding(ids, self._words)
        rows = self._norm(rows.add_(self._places[packing.positions]))
        if self._projection is not None:
            rows = self._projection(rows)
        for layer in self._layers:
            rows = layer(rows, packing)
        return functional.linear(self._head(rows).float(), self._out_weight, self._out_bias)


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
        self._varlen = varlen_available(
            self._rows_dtype, device, config.hidden_size // config.num_attention_heads
        )
        body = self._body(module, dtype, layers)
        # Of what a GPU is told the CPU waits for nothing, and its variable-length kernel is no script.
        self._run = scripted(body) if device.type == "cpu" else body

    def _body(self, module: ElectraForSequenceClassification, dtype: str, layers: int | None) -> _Body:
        linear: MakeLinear = partial(make_linear, dtype=dtype, device=self.device)
        electra: Any = module.electra
        embeddings = electra.embeddings
        places = embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]
        projection = getattr(electra, "embeddings_project", None)
        chosen = list(electra.encoder.layer)[:layers]
        head = module.classifier
        # So few rows are not worth fewer digits.
        exact = "fp32" if dtype == "int8" else dtype
        return _Body(
            words=self._moved(embeddings.word_embeddings.weight),
            places=self._moved(places),
            norm=self._norm(embeddings.LayerNorm),
            projection=linear(projection.weight, projection.bias) if projection is not None else None,
            layers=[self._layer(layer, linear, last=layer is chosen[-1]) for layer in chosen],
            head=make_linear(head.dense.weight, head.dense.bias, dtype=exact, device=self.device, gelu=True),
            # Three columns are no product worth a kernel, and a logit deserves all its digits.
            out=(self._exact(head.out_proj.weight), self._exact(head.out_proj.bias)),
        )

    def _moved(self, tensor: Tensor) -> Tensor:
        return tensor.detach().to(self.device, self._rows_dtype)

    def _exact(self, tensor: Tensor) -> Tensor:
        return tensor.detach().to(self.device, torch.float32)

    def _norm(self, norm: nn.LayerNorm) -> _Norm:
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
            heads=this.num_attention_heads,
            query=linear(*query) if last else None,
            inputs=linear(*(torch.cat(parts) for parts in zip(*inputs, strict=True))),
            attended=linear(out.dense.weight, out.dense.bias),
            attended_norm=self._norm(out.LayerNorm),
            inner=linear(layer.intermediate.dense.weight, layer.intermediate.dense.bias, gelu=True),
            outer=linear(layer.output.dense.weight, layer.output.dense.bias, after_gelu=True),
            outer_norm=self._norm(layer.output.LayerNorm),
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
        logits: Tensor = self._run(to_device(ids, self.device), packing)
        return logits[: len(lengths)]
