"""Weights that somebody has, renamed to the architecture's names and checked one by one. Knows no rows.

They are a state dict as torch.save wrote it, alone or in a checkpoint beside an optimizer.
"""

import pickle  # Only the name of its error is used.
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from transformers import ElectraForSequenceClassification

from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS, Label

_HOLDERS = ("model_state_dict", "state_dict", "model", "module", "net")
_WRAPPER = re.compile(r"^(?:module\.|_orig_mod\.|model\.|net\.)+")
# TensorFlow's names, which transformers kept for years.
_OLDER = (
    (re.compile(r"LayerNorm\.gamma$"), "LayerNorm.weight"),
    (re.compile(r"LayerNorm\.beta$"), "LayerNorm.bias"),
)
# Counters that older transformers saved, the head of pre-training, and the class weights of a loss.
_NO_WEIGHTS = re.compile(
    r"(\.position_ids|\.embeddings\.token_type_ids)$|discriminator_predictions\.|(^|\.)\w*(loss|criterion)\w*\."
)
_ANCHOR = "embeddings.word_embeddings.weight"
_BODY = "electra."
_DENSE, _OUTPUT = "classifier.dense", "classifier.out_proj"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Imported:
    """Weights under the architecture's names. notes: what was changed on the way, a sentence each."""

    state: dict[str, Tensor]
    notes: tuple[str, ...]


def read(path: Path) -> dict[str, Tensor]:
    """Read a state dict, as weights alone; UserError when the file is none or holds more than data."""
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist.") from None
    except pickle.UnpicklingError:
        raise UserError(
            f"{path} holds more than weights (a whole model, perhaps), or is damaged; it is not read. "
            "Save it again as torch.save(model.state_dict(), FILE)."
        ) from None
    except (OSError, RuntimeError, ValueError, EOFError, safetensors.SafetensorError) as error:
        raise UserError(f"{path} cannot be read: {str(error).partition(chr(10))[0].rstrip('.')}.") from None
    return _weights(path, found)


def _weights(path: Path, found: Any) -> dict[str, Tensor]:
    for _ in range(3):
        if (
            isinstance(found, Mapping)
            and found
            and all(isinstance(value, Tensor) for value in found.values())
        ):
            return {str(name): tensor for name, tensor in found.items()}
        holder = next((name for name in _HOLDERS if isinstance(found, Mapping) and name in found), None)
        if holder is None:
            break
        found = found[holder]
    held = ", ".join(map(str, list(found)[:_SHOWN])) if isinstance(found, Mapping) else type(found).__name__
    raise UserError(f"{path} holds no state dict under a known name, but {held}.")


def fitted(
    weights: Mapping[str, Tensor], module: ElectraForSequenceClassification, labels: Sequence[Label]
) -> Imported:
    """Rename weights to the names of `module`, and put its outputs, which stand for `labels`, in our order.

    UserError that names what is missing, left over or of another shape.
    """
    expected = module.state_dict()
    renamed, notes = _renamed(weights)
    for name in [name for name in renamed if name not in expected and _NO_WEIGHTS.search(name)]:
        del renamed[name]
        notes.append(f"{name} is left out: it is no weight of a classifier")
    if not any(name.startswith(_OUTPUT) for name in renamed):
        renamed, note = _with_head(renamed, expected)
        notes.append(note)
    _check(renamed, expected)
    order = [list(labels).index(label) for label in LABELS]
    if order != list(range(len(LABELS))):
        notes.append("the outputs were put in the order 부정, 중립, 긍정")
        for name in (f"{_OUTPUT}.weight", f"{_OUTPUT}.bias"):
            renamed[name] = renamed[name][order]
    # Half precision is widened: what is stored is fp32.
    state = {name: renamed[name].to(tensor.dtype).clone() for name, tensor in expected.items()}
    if broken := [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]:
        raise UserError(f"The weights hold numbers that are none, in {broken[0]}.")
    return Imported(state, tuple(notes))


def _renamed(weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Take off what wraps the names, and put today's in the place of older ones."""
    anchor = next((name for name in weights if name.endswith(_ANCHOR)), None)
    if anchor is None:
        raise UserError(f"These are no weights of an ELECTRA model: nothing ends in {_ANCHOR}.")
    body = anchor.removesuffix(_ANCHOR)
    wrapper = body.removesuffix(_BODY)
    renamed: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name.startswith(body):
            new = _BODY + name.removeprefix(body)
        else:
            new = name.removeprefix(wrapper) if body.endswith(_BODY) else _WRAPPER.sub("", name)
        for pattern, today in _OLDER:
            new = pattern.sub(today, new)
        if new in renamed:
            raise UserError(f"Two of these weights would be {new}.")
        renamed[new] = tensor
    changed = [old for old, new in zip(weights, renamed, strict=True) if old != new]
    notes = [f"{len(changed)} names were changed, such as {changed[0]}"] if changed else []
    return renamed, notes


def _with_head(
    weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], str]:
    """Find the two layers of a head that has other names, by their shapes."""
    layers = {name.removesuffix(".weight") for name in weights if not name.startswith(_BODY)}
    layers = {name for name in layers if {f"{name}.weight", f"{name}.bias"} <= weights.keys()}
    renamed, found = dict(weights), []
    for ours in (_DENSE, _OUTPUT):
        shape = expected[f"{ours}.weight"].shape
        fitting = [name for name in sorted(layers) if weights[f"{name}.weight"].shape == shape]
        if len(fitting) != 1:
            raise UserError(
                "The head has not the two layers of transformers' ElectraForSequenceClassification, but "
                f"{', '.join(sorted(layers)) or 'none'}."
            )
        found.append(fitting[0])
        for part in ("weight", "bias"):
            renamed[f"{ours}.{part}"] = renamed.pop(f"{fitting[0]}.{part}")
    return renamed, (
        f"{found[0]} and {found[1]} are taken for the two layers of the head, with GELU between them; "
        "--check shows whether they are"
    )


def _check(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    missing = [name for name in expected if name not in weights]
    surplus = [name for name in weights if name not in expected]
    other = [
        f"{name} is {tuple(weights[name].shape)}, not {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    problems = [
        f"{what} {', '.join(names[:_SHOWN])}"
        + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        for what, names in (
            ("missing are", missing),
            ("not known are", surplus),
            ("of another shape:", other),
        )
        if names
    ]
    if problems:
        raise UserError(f"The weights do not fit the base: {'; '.join(problems)}.")
