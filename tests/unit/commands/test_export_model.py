import io
import json
from pathlib import Path

import torch
from rich.console import Console
from safetensors.torch import load_file
from transformers import AutoTokenizer, ElectraForSequenceClassification

from nifos_stream.commands.export_model import run_export
from nifos_stream.model import load_model
from nifos_stream.settings import ModelSettings
from nifos_stream.training import export
from tests.unit.training import tiny

EXACT = ModelSettings(dtype="fp32")
TEXTS = ["숲길 좋았다", "산 나빴다!", "그냥 별로"]


def test_int8_rows_become_plain_weights_that_say_the_same(tmp_path: Path):
    about = export.About("tiny", 40, ("nfc", "line_breaks", "spaces"), 1.3)
    export.write(tmp_path / "small", tiny.model().state_dict(), tiny.config(), tiny.tokenizer(), about)
    (tmp_path / "small" / "model_card.json").write_text('{"name": "tiny", "weights": "int8-rows"}', "utf-8")
    run_export(str(tmp_path / "small"), tmp_path / "plain", Console(file=io.StringIO()))
    before, after = (load_model(tmp_path / name, settings=EXACT) for name in ("small", "plain"))
    assert [r.probabilities for r in before.classify(TEXTS)] == [
        r.probabilities for r in after.classify(TEXTS)
    ]
    weights = load_file(tmp_path / "plain" / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    said = json.loads((tmp_path / "plain" / "nifos.json").read_text(encoding="utf-8"))
    assert (said["weights"], said["temperature"], said["max_length"]) == ("plain", 1.3, 40)
    card = json.loads((tmp_path / "plain" / "model_card.json").read_text(encoding="utf-8"))
    assert card["revision"] == after.info.revision
    assert card["exported_from"] == before.info.revision


def test_transformers_alone_reads_what_was_exported(tmp_path: Path):
    about = export.About("tiny", 40, ("nfc", "spaces"))
    export.write(tmp_path / "small", tiny.model().state_dict(), tiny.config(), tiny.tokenizer(), about)
    run_export(str(tmp_path / "small"), tmp_path / "plain", Console(file=io.StringIO()))
    module = ElectraForSequenceClassification.from_pretrained(tmp_path / "plain")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "plain")
    found = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        told = module(**found).logits.softmax(-1)
    readings = load_model(tmp_path / "plain", settings=EXACT).classify(TEXTS)
    assert torch.allclose(told, torch.tensor([reading.probabilities for reading in readings]), atol=1e-5)
    assert module.config.id2label == {0: "부정", 1: "중립", 2: "긍정"}
