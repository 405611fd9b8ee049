from pathlib import Path

import pytest
import torch
from torch import nn

from nifos_stream.errors import UserError
from nifos_stream.training import base
from tests.unit.training import old_hub


@pytest.fixture(scope="module")
def old_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hub") / "koelectra"
    old_hub.make(directory)
    return directory


def test_an_old_hub_directory_keeps_every_entry_of_its_vocabulary_and_its_capitals(old_directory: Path):
    read = base.read(str(old_directory))
    assert read.tokenizer.get_vocab_size(with_added_tokens=True) == len(old_hub.VOCABULARY)
    assert [read.tokenizer.token_to_id(piece) for piece in old_hub.PIECES] == list(range(len(old_hub.PIECES)))
    found = read.tokenizer.encode("Forest forest 숲이 좋다.")
    assert found.tokens == ["[CLS]", "Forest", "forest", "숲", "##이", "좋", "##다", ".", "[SEP]"]


def test_its_weights_come_from_pytorch_model_bin_and_its_head_from_the_seed(old_directory: Path):
    read = base.read(str(old_directory))
    module = base.model(read, dropout=0.2, seed=7)
    stored = torch.load(old_directory / "pytorch_model.bin", weights_only=True)
    state = module.state_dict()
    body = [name for name in state if not name.startswith(base.HEAD)]
    assert len(body) > 30
    assert all(torch.equal(state[name], stored[name]) for name in body)
    again = base.model(read, dropout=0.2, seed=7).state_dict()
    other = base.model(read, dropout=0.2, seed=8).state_dict()
    assert torch.equal(state["classifier.out_proj.weight"], again["classifier.out_proj.weight"])
    assert not torch.equal(state["classifier.out_proj.weight"], other["classifier.out_proj.weight"])


def test_dropout_reaches_every_dropout_layer(old_directory: Path):
    module = base.model(base.read(str(old_directory)), dropout=0.2, seed=7)
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Dropout)]
    assert len(layers) >= 1 + 3 * 2 + 1  # Embeddings, three in each of two layers, the head.
    assert {layer.p for layer in layers} == {0.2}
    assert module.config.id2label == {0: "부정", 1: "중립", 2: "긍정"}


def test_a_length_beyond_the_positions_of_the_base_is_refused(old_directory: Path):
    read = base.read(str(old_directory))
    base.check_length(read, 64)
    with pytest.raises(UserError, match="3 to 64 tokens"):
        base.check_length(read, 65)


def test_pickled_code_in_the_weights_is_not_run(tmp_path: Path):
    directory = tmp_path / "evil"
    old_hub.make(directory)
    torch.save(
        {"electra.embeddings.word_embeddings.weight": _Evil(tmp_path / "run")},
        directory / "pytorch_model.bin",
    )
    with pytest.raises(UserError):
        base.model(base.read(str(directory)), dropout=0.2, seed=7)
    assert not (tmp_path / "run").exists()


def test_a_vocabulary_of_another_model_is_refused(tmp_path: Path):
    directory = tmp_path / "cut"
    old_hub.make(directory)
    (directory / "vocab.txt").write_text("\n".join(old_hub.PIECES), encoding="utf-8")
    with pytest.raises(UserError, match="do not belong together"):
        base.read(str(directory))


def test_weights_that_lack_a_layer_are_refused(tmp_path: Path):
    directory = tmp_path / "cut"
    weights = old_hub.make(directory)
    torch.save(
        {name: w for name, w in weights.items() if ".layer.1." not in name}, directory / "pytorch_model.bin"
    )
    with pytest.raises(UserError, match="is not there in that shape"):
        base.model(base.read(str(directory)), dropout=0.2, seed=7)


class _Evil:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self):
        return (Path.touch, (self._path,))
