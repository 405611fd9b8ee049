from pathlib import Path

import pytest
import torch
from transformers import ElectraForSequenceClassification

from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS, Label
from nifos_stream.training import base, imported
from tests.unit.training import old_hub

OLDER = (Label.NEGATIVE, Label.POSITIVE, Label.NEUTRAL)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> ElectraForSequenceClassification:
    directory = tmp_path_factory.mktemp("hub") / "koelectra"
    old_hub.make(directory)
    return base.empty(base.read(str(directory)))


@pytest.fixture
def weights(module: ElectraForSequenceClassification) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return {name: torch.randn_like(tensor) for name, tensor in module.state_dict().items()}


def as_of_old(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names as a DataParallel model of years ago, converted from TensorFlow, would have saved them."""
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): w
        for name, w in weights.items()
    }
    old["electra.embeddings.position_ids"] = torch.arange(64)[None]
    return {f"module.{name}": tensor for name, tensor in old.items()}


def test_todays_names_go_through_as_they_are(module, weights):
    found = imported.fitted(weights, module, LABELS)
    assert found.notes == ()
    assert all(torch.equal(found.state[name], weights[name]) for name in weights)


def test_an_older_naming_becomes_todays(module, weights):
    found = imported.fitted(as_of_old(weights), module, LABELS)
    assert found.state.keys() == weights.keys()
    assert all(torch.equal(found.state[name], weights[name]) for name in weights)
    assert any("names were changed" in note for note in found.notes)
    assert any("position_ids" in note for note in found.notes)


def test_the_outputs_are_put_in_our_order(module, weights):
    found = imported.fitted(weights, module, OLDER)
    theirs, ours = weights["classifier.out_proj.weight"], found.state["classifier.out_proj.weight"]
    assert torch.equal(ours, theirs[[0, 2, 1]])
    assert torch.equal(
        found.state["classifier.out_proj.bias"], weights["classifier.out_proj.bias"][[0, 2, 1]]
    )


def test_a_model_inside_of_a_wrapper_with_a_head_of_its_own_names_is_found(module, weights):
    renamed = {}
    for name, tensor in weights.items():
        name = name.replace("electra.", "bert.", 1).replace("classifier.dense", "fc1")
        renamed[f"module.{name.replace('classifier.out_proj', 'fc2')}"] = tensor
    renamed["module.loss_fn.weight"] = torch.ones(3)
    found = imported.fitted(renamed, module, LABELS)
    assert all(torch.equal(found.state[name], weights[name]) for name in weights)
    assert any("fc1 and fc2 are taken for" in note for note in found.notes)


def test_half_precision_is_widened(module, weights):
    found = imported.fitted({name: w.half() for name, w in weights.items()}, module, LABELS)
    assert {tensor.dtype for tensor in found.state.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda w: w.pop("electra.encoder.layer.1.output.dense.bias"), "missing are electra.encoder.layer.1"),
        (lambda w: w.update({"electra.encoder.layer.2.output.dense.bias": torch.ones(16)}), "not known are"),
        (lambda w: w.update({"classifier.out_proj.weight": torch.ones(2, 16)}), "of another shape"),
        (
            lambda w: w.update({"classifier.out_proj.bias": torch.full((3,), torch.nan)}),
            "numbers that are none",
        ),
        (lambda w: w.pop("electra.embeddings.word_embeddings.weight"), "no weights of an ELECTRA model"),
    ],
)
def test_what_does_not_fit_is_named(module, weights, change, sentence):
    change(weights)
    with pytest.raises(UserError, match=sentence):
        imported.fitted(weights, module, LABELS)


def test_a_head_of_one_layer_is_refused(module, weights):
    for name in [name for name in weights if name.startswith("classifier.")]:
        del weights[name]
    weights |= {"classifier.weight": torch.ones(3, 16), "classifier.bias": torch.ones(3)}
    with pytest.raises(UserError, match="has not the two layers"):
        imported.fitted(weights, module, LABELS)


def test_a_checkpoint_with_an_optimizer_beside_the_weights_is_read(weights, tmp_path: Path):
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 5e-6}]}
    torch.save(
        {"epoch": 7, "model_state_dict": weights, "optimizer_state_dict": optimizer}, tmp_path / "c.pt"
    )
    assert imported.read(tmp_path / "c.pt").keys() == weights.keys()


def test_a_pickled_model_is_refused_without_running_it(tmp_path: Path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(UserError, match="holds more than weights"):
        imported.read(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes):
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"model\.pt"):
        imported.read(tmp_path / "model.pt")
    with pytest.raises(UserError, match="does not exist"):
        imported.read(tmp_path / "other.pt")
