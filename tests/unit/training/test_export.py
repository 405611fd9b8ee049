import json
from pathlib import Path

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from nifos_stream.training import export

from . import tiny


def written(directory: Path) -> Path:
    model = tiny.model()
    about = export.About("tiny", 12, ("nfc", "spaces"), 1.25)
    export.write(directory, model.state_dict(), model.config, tiny.tokenizer(), about)
    return directory


def test_a_matrix_is_kept_within_half_a_step_of_its_row() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(6, 40) * torch.tensor([[0.01], [1.0], [5.0], [0.3], [100.0], [0.0]])
    stored = export.int8_rows({"w": matrix})
    assert stored["w"].dtype == torch.int8
    expanded = stored["w"] * stored["w.scale"][:, None]
    assert ((expanded - matrix).abs() <= stored["w.scale"][:, None] / 2 + 1e-6).all()
    assert torch.equal(expanded[5], torch.zeros(40))


def test_vectors_are_kept_as_they_are() -> None:
    bias = torch.randn(7)
    assert torch.equal(export.int8_rows({"b": bias})["b"], bias)


def test_the_directory_states_what_decides_a_label(tmp_path: Path) -> None:
    said = json.loads((written(tmp_path) / "nifos.json").read_text(encoding="utf-8"))
    assert said == {
        "format": 1,
        "name": "tiny",
        "max_length": 12,
        "labels": ["negative", "neutral", "positive"],
        "cleaning": ["nfc", "spaces"],
        "temperature": 1.25,
        "weights": "int8-rows",
    }


def test_the_weights_file_holds_each_weight_of_the_model_and_the_scales(tmp_path: Path) -> None:
    state = tiny.model().state_dict()
    with safe_open(written(tmp_path) / "model.safetensors", "pt") as stored:
        names = set(stored.keys())
    assert names == set(state) | {f"{name}.scale" for name, tensor in state.items() if tensor.ndim == 2}


def test_transformers_reads_the_same_tokens_from_the_directory(tmp_path: Path) -> None:
    written(tmp_path)
    text = "숲길이 좋았다 별로!"
    expected = tiny.tokenizer().encode(text).ids
    assert Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode(text).ids == expected
    assert AutoTokenizer.from_pretrained(tmp_path)(text)["input_ids"] == expected
