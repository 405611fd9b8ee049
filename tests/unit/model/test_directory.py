import json
import shutil

import pytest
import safetensors.torch
import torch
from transformers import ElectraModel

from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS
from nifos_stream.model import directory, place
from tests.models import make_model_dir


@pytest.fixture
def copied(model_dir, tmp_path):
    """The tiny model in a directory that the test may damage."""
    return shutil.copytree(model_dir, tmp_path / "model")


def change(file, **fields):
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def refused(path):
    with pytest.raises(UserError) as error:
        directory.load(path)
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_directory_says_what_its_model_is(model_dir):
    loaded = directory.load(model_dir)
    assert (loaded.name, loaded.max_length, loaded.temperature, loaded.order) == ("tiny", 60, 1.0, (0, 1, 2))
    assert loaded.cleaning.steps == ("nfc", "line_breaks", "repeats", "spaces")
    assert not loaded.module.training


def test_a_plain_transformers_directory_works_too(copied):
    (copied / "nifos.json").unlink()
    loaded = directory.load(copied)
    assert (loaded.name, loaded.max_length, loaded.temperature) == ("model", 60, 1.0)
    assert loaded.cleaning.steps == ("nfc", "line_breaks", "spaces")


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["부정", "중립", "긍정"], (0, 1, 2)),
        (["Positive", "neutral", "NEGATIVE"], (2, 1, 0)),
        (["LABEL_0", "LABEL_1", "LABEL_2"], (0, 1, 2)),
        (["중립", "긍정", "부정"], (2, 0, 1)),
    ],
)
def test_labels_are_known_by_their_names(copied, names, order):
    (copied / "nifos.json").unlink()
    change(
        copied / "config.json", id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)}
    )
    assert directory.load(copied).order == order


def test_labels_that_mean_something_else_are_refused(copied):
    (copied / "nifos.json").unlink()
    change(copied / "config.json", id2label={0: "기쁨", 1: "슬픔", 2: "화남"}, label2id={})
    assert "기쁨, 슬픔, 화남" in refused(copied)


def test_two_labels_are_not_enough(copied):
    change(copied / "config.json", id2label={0: "부정", 1: "긍정"}, label2id={})
    assert "2 labels" in refused(copied)


def test_a_vocabulary_file_alone_makes_the_tokenizer(copied):
    vocabulary = json.loads((copied / "tokenizer.json").read_text())["model"]["vocab"]
    (copied / "tokenizer.json").unlink()
    (copied / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)), encoding="utf-8")
    loaded = directory.load(copied)
    assert loaded.tokenizer.get_vocab_size() == loaded.module.config.vocab_size
    assert loaded.tokenizer.encode("숲 좋아요").tokens == ["[CLS]", "숲", "좋아요", "[SEP]"]


def test_a_vocabulary_of_another_model_is_refused(copied):
    tokenizer = json.loads((copied / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] = {
        entry: i for i, entry in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "숲"])
    }
    tokenizer["added_tokens"] = []
    (copied / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert "has 5 entries" in refused(copied)


def test_int8_rows_are_expanded(copied):
    exact = directory.load(copied).module.state_dict()
    stored = {}
    for name, tensor in exact.items():
        if tensor.ndim == 2:
            scale = tensor.abs().amax(dim=1).clamp_min(1e-8) / 127
            stored[f"{name}.scale"] = scale.half()
            stored[name] = (tensor / scale.half().float()[:, None]).round().clamp(-127, 127).to(torch.int8)
        else:
            stored[name] = tensor.half()
    safetensors.torch.save_file(stored, copied / "model.safetensors")
    change(copied / "nifos.json", weights="int8-rows")
    module = directory.load(copied).module
    assert not module.training
    for name, tensor in module.state_dict().items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, exact[name], atol=0.01, rtol=0.01)


def test_int8_rows_with_a_scale_missing_are_refused(copied):
    stored = directory.load(copied).module.state_dict()
    stored["classifier.dense.weight"] = torch.ones(32, 32, dtype=torch.int8)
    safetensors.torch.save_file(stored, copied / "model.safetensors")
    change(copied / "nifos.json", weights="int8-rows")
    assert "classifier.dense.weight.scale" in refused(copied)


def test_the_revision_follows_what_decides_a_label(copied):
    before = directory.load(copied).revision
    assert len(before) == 12
    change(copied / "nifos.json", name="another name")
    (copied / "README.md").write_text("about")
    assert directory.load(copied).revision == before
    seen = {before}
    for field, value in [("temperature", 2.0), ("cleaning", ["nfc"]), ("max_length", 50)]:
        change(copied / "nifos.json", **{field: value})
        seen.add(directory.load(copied).revision)
    (copied / "tokenizer.json").write_text((copied / "tokenizer.json").read_text() + "\n")
    seen.add(directory.load(copied).revision)
    assert len(seen) == 5


def test_other_weights_are_another_revision(model_dir, tmp_path):
    other = make_model_dir(tmp_path / "other", layers=2, hidden=32, embedding=16, seed=1)
    assert directory.load(other).revision != directory.load(model_dir).revision


def test_a_missing_directory_is_one_sentence(tmp_path):
    assert "does not exist" in refused(tmp_path / "nowhere")


def test_a_file_is_no_directory(copied):
    assert "a model is a directory" in refused(copied / "config.json")


def test_a_name_that_the_hub_cannot_give_is_one_sentence(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "some/model is no directory here" in refused("some/model")


def test_a_bundled_model_that_is_not_there_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(place, "_BUNDLED_DIRECTORY", tmp_path / "none")
    assert "no bundled model" in refused("bundled")


def test_pickled_weights_are_never_read(copied):
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    sentence = refused(copied)
    assert "save_pretrained" in sentence


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    assert name in refused(copied)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "nifos.json"])
def test_a_damaged_file_is_one_sentence(copied, name):
    (copied / name).write_bytes(b"{ damaged")
    refused(copied)


def test_a_model_without_a_classifier_is_refused(copied):
    module = directory.load(copied).module
    ElectraModel.save_pretrained(module.electra, copied)
    change(copied / "config.json", model_type="electra", id2label={0: "부정", 1: "중립", 2: "긍정"})
    assert "classifier" in refused(copied)


def test_another_architecture_is_refused(copied):
    change(copied / "config.json", model_type="bert")
    assert "bert" in refused(copied)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 0),
        ("max_length", 1000),
        ("cleaning", ["shout"]),
        ("weights", "int4"),
        ("labels", ["a"]),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(copied, field, value):
    change(copied / "nifos.json", **{field: value})
    refused(copied)


@pytest.mark.parametrize("path", ["bundled"])
def test_the_bundled_model_reads_korean(path):
    loaded = directory.load(path)
    assert sorted(loaded.order) == [0, 1, 2]
    assert len(LABELS) == loaded.module.config.num_labels
