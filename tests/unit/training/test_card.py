import datetime as dt
import json
from pathlib import Path

import numpy as np

from nifos_stream.training import card
from nifos_stream.training.evaluate import Evaluation, figures
from nifos_stream.training.export import About
from nifos_stream.training.mistakes import Mistake

TSV = "text\tlabel\tsource\n좋다\t2\tkote\n나쁘다\t0\tkote\n그냥\t1\tkodoli\n"


def test_the_card_and_the_readme_say_what_the_model_is_and_how_good(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text(TSV, encoding="utf-8")
    told = figures(np.array([0, 2]), np.array([[0.9, 0.05, 0.05], [0.6, 0.1, 0.3]]))
    wrong = Mistake("여기 좋다", "positive", "negative", 0.6, "kote")
    by_source = {"kote": told, "x": told}
    judged = {
        "test": Evaluation("small", "abc123", "f" * 64, told, by_source, 0, 1.0, 2.0, (), (wrong,)),
    }
    about = About("small", 60, ("nfc", "spaces"), 1.1)
    counts = card.counted(tmp_path / "train.tsv")
    card.write(tmp_path, about, counts, {"steps": 5}, judged, today=dt.date(2026, 1, 2))
    said = json.loads((tmp_path / "model_card.json").read_text(encoding="utf-8"))
    assert said["revision"] == "abc123"
    assert said["labels_ko"] == ["부정", "중립", "긍정"]
    assert said["date"] == "2026-01-02"
    assert said["data"]["by_source"] == {"kodoli": {"neutral": 1}, "kote": {"negative": 1, "positive": 1}}
    assert said["metrics"]["test"]["by_source"]["kote"]["accuracy"] == 0.5
    assert "여기 좋다" not in json.dumps(said, ensure_ascii=False), "a card holds no text of its data"
    assert said["training"] == {"steps": 5}
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| test | kote | 2 | 0.500 |" in readme
    assert "0 부정 (negative), 1 중립 (neutral), 2 긍정 (positive)" in readme
