"""A model directory written again as plain fp32 weights. Knows nothing of training."""

import json
from dataclasses import dataclass
from pathlib import Path

from nifos_stream.model import directory
from nifos_stream.training import base, export

_OUTPUTS = ("classifier.out_proj.weight", "classifier.out_proj.bias")
_CARD = "model_card.json"


@dataclass(frozen=True, slots=True)
class Revisions:
    """Of the model that was read, and of the directory that was written."""

    before: str
    after: str


def plain(model: str, out: Path) -> Revisions:
    """Write a model to `out`, its outputs in the order of LABELS; the card goes along, if there is one."""
    loaded = directory.load(model)
    state = loaded.module.state_dict()
    for name in _OUTPUTS:
        state[name] = state[name][list(loaded.order)]
    cleaning = loaded.cleaning
    about = export.About(
        loaded.name,
        loaded.max_length,
        tuple(cleaning.steps),
        loaded.temperature,
        cleaning.kept,
        "plain",
    )
    export.write(out, state, base.labelled(loaded.module.config), loaded.tokenizer, about)
    after = directory.load(out).revision
    source = directory.find(model)
    if (source / _CARD).exists():
        card = json.loads((source / _CARD).read_text(encoding="utf-8"))
        card |= {"revision": after, "exported_from": loaded.revision, "weights": "plain"}
        text = json.dumps(card, ensure_ascii=False, indent=2) + "\n"
        (out / _CARD).write_text(text, encoding="utf-8")
    return Revisions(loaded.revision, after)
