import datetime as dt
import io
import json

import pytest
from rich.console import Console

from nifos_stream.commands import shadow
from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from nifos_stream.model import ModelInfo
from nifos_stream.settings import Settings
from nifos_stream.shadow.comparison import Compared, Comparison

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
NUMBERS = {
    "said:positive:positive": 90.0,
    "said:positive:negative": 10.0,
    "difference": 4.0,
    "change:negative": 6.0,
    "change:positive": -6.0,
    "first:texts": 1000.0,
    "first:seconds": 1.0,
    "shadow:texts": 100.0,
    "shadow:seconds": 0.25,
    "dropped": 3.0,
}


class FakeLedger:
    def __init__(self, *found):
        self.found = list(found)
        self.closed = False

    def read(self):
        return self.found

    def close(self):
        self.closed = True


@pytest.fixture
def said(monkeypatch):
    def ask(*found, as_json=False):
        ledger = FakeLedger(*found)
        monkeypatch.setattr(shadow, "_ledger", lambda _settings: ledger)
        console = Console(file=io.StringIO(), soft_wrap=True, width=80)
        shadow.report(Settings(), as_json=as_json, console=console)
        assert ledger.closed
        return console.file.getvalue()

    return ask


def compared(numbers=NUMBERS):
    return Comparison(Compared("old", "1" * 12), Compared("new", "2" * 12), NOW, NOW, numbers)


def test_a_person_reads_agreement_shift_probabilities_and_cost(said):
    told = said(compared())
    assert "new 222222222222 (shadow), 2026-05-01 21:00 to 2026-05-01 21:00" in told, "in the settings' zone"
    assert "100 texts compared: 90.0% the same label; 3 more dropped as it had no time or failed" in told
    assert "+ 긍정                         10     0    90" in told
    assert "0.040 apart on average; 부정 +0.060, 중립 +0.000, 긍정 -0.060" in told
    assert "cost: 2.50 ms a text, 2.5 times the first's 1.00 ms" in told


def test_a_program_reads_every_comparison(said):
    found = json.loads(said(compared(), compared({}), as_json=True))
    assert [one["agreement"] for one in found] == [0.9, None]
    assert found[0]["shift"]["positive"] == {"negative": 10, "neutral": 0, "positive": 90}


def test_nothing_compared_is_said(said):
    assert "worker --shadow DIR" in said()
    assert "No texts compared" in said(compared({"dropped": 2.0}))
    assert json.loads(said(as_json=True)) == []


def test_redis_away_is_one_sentence():
    with pytest.raises(UserError, match="NIFOS_REDIS__URL"):
        shadow.report(Settings(redis={"url": "redis://127.0.0.1:1/0", "timeout_seconds": 0.1}))


def test_a_model_that_does_not_exist_is_one_sentence():
    with pytest.raises(UserError, match="does not exist"):
        shadow.stage(Settings(), "/nowhere", ModelInfo("old", "1" * 12, 60), Metrics())
