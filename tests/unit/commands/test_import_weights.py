import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from nifos_stream.commands.export_model import run_export
from nifos_stream.commands.import_weights import ImportOptions, best_order, run_import
from nifos_stream.errors import UserError
from nifos_stream.messages import Label
from nifos_stream.model import load_model
from nifos_stream.settings import ModelSettings
from nifos_stream.training import base
from tests.unit.training import old_hub
from tests.unit.training.test_imported import as_of_old

TEXTS = ["숲이 좋다.", "길", "Forest 좋다", "숲 숲 숲 길.", "다 좋", "forest forest"]
EXACT = ModelSettings(dtype="fp32")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("hub") / "koelectra"
    old_hub.make(directory)
    return directory


@pytest.fixture(scope="module")
def module(hub: Path) -> torch.nn.Module:
    torch.manual_seed(5)
    module = base.empty(base.read(str(hub))).eval()
    with torch.no_grad():
        for weights in module.parameters():
            weights.add_(torch.randn_like(weights) * 0.3)
    return module


def outputs(hub: Path, module: torch.nn.Module, text: str) -> list[float]:
    ids = base.read(str(hub)).tokenizer.encode(text).ids
    with torch.inference_mode():
        return module(input_ids=torch.tensor([ids])).logits.softmax(-1)[0].tolist()


def test_an_older_state_dict_is_served_as_transformers_reads_it(hub, module, tmp_path: Path):
    torch.save(as_of_old(module.state_dict()), tmp_path / "old.pt")
    rows = tmp_path / "rows.tsv"
    # In the order of these outputs: 0 부정, 1 긍정, 2 중립.
    said = [np.argmax(outputs(hub, module, text)) for text in TEXTS]
    words = ["부정", "긍정", "중립"]
    lines = [f"{text}\t{words[one]}" for text, one in zip(TEXTS, said, strict=True)]
    rows.write_text("\n".join(["sentence\tsentiment", *lines]), encoding="utf-8")
    console = Console(file=io.StringIO(), soft_wrap=True)
    out = tmp_path / "model"
    options = ImportOptions(base=str(hub), labels="부정,긍정,중립", out=out, check=rows)
    run_import(tmp_path / "old.pt", options, console)
    assert "accuracy 1.0000" in console.file.getvalue()  # type: ignore[attr-defined]
    assert "WARNING" not in console.file.getvalue()  # type: ignore[attr-defined]
    for text, reading in zip(TEXTS, load_model(out, settings=EXACT).classify(TEXTS), strict=True):
        negative, positive, neutral = outputs(hub, module, text)
        assert reading.probabilities == pytest.approx((negative, neutral, positive), abs=1e-4)
    card = json.loads((out / "model_card.json").read_text(encoding="utf-8"))
    assert card["revision"] == load_model(out, settings=EXACT).info.revision
    assert card["training"]["imported_from"] == "old.pt"


def test_a_wrong_order_of_labels_is_warned_of(hub, module, tmp_path: Path):
    torch.save(module.state_dict(), tmp_path / "w.pt")
    words = ["부정", "긍정", "중립"]
    texts = [text for text in TEXTS if np.argmax(outputs(hub, module, text)) > 0]
    assert texts, "the random model says more than 부정"
    lines = [f"{text}\t{words[int(np.argmax(outputs(hub, module, text)))]}" for text in texts]
    (tmp_path / "rows.tsv").write_text("\n".join(["text\tlabel", *lines]), encoding="utf-8")
    console = Console(file=io.StringIO(), soft_wrap=True)
    options = ImportOptions(
        base=str(hub), labels="부정,중립,긍정", out=tmp_path / "m", check=tmp_path / "rows.tsv"
    )
    run_import(tmp_path / "w.pt", options, console)
    assert "WARNING: with --labels" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_better_order_is_said_for_the_outputs_as_they_are():
    negative, neutral, positive = Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE
    # Rows of 중립 are said to be 긍정, and the other way round.
    confusion = np.array([[9, 0, 0], [0, 1, 8], [0, 7, 2]])
    assert best_order(confusion, (negative, neutral, positive)) == ((negative, positive, neutral), 24 / 27)
    assert best_order(confusion, (positive, negative, neutral)) == ((neutral, negative, positive), 24 / 27)
    good = np.diag([3, 3, 3])
    assert best_order(good, (positive, negative, neutral)) == ((positive, negative, neutral), 1.0)


@pytest.mark.parametrize("labels", ["부정,중립", "부정,중립,중립", "a,b,c", "1=부정,2=중립,3=긍정"])
def test_an_order_that_is_none_is_refused(hub: Path, tmp_path: Path, labels: str):
    with pytest.raises(UserError, match="abels"):
        run_import(tmp_path / "w.pt", ImportOptions(base=str(hub), labels=labels, out=tmp_path / "m"))


def test_a_model_is_not_written_over_another(hub, module, tmp_path: Path):
    torch.save(module.state_dict(), tmp_path / "w.pt")
    options = ImportOptions(base=str(hub), labels="부정,중립,긍정", out=tmp_path / "m")
    run_import(tmp_path / "w.pt", options, Console(file=io.StringIO()))
    with pytest.raises(UserError, match="already holds a model"):
        run_import(tmp_path / "w.pt", options)
    with pytest.raises(UserError, match="already holds a model"):
        run_export(str(tmp_path / "m"), tmp_path / "m")
