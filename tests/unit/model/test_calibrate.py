import itertools
import json

import pytest
import torch

from nifos_stream.model import calibrate, load_model
from nifos_stream.model.calibrate import Choice, calibrated
from nifos_stream.model.electra import PackedElectra
from nifos_stream.model.tokenizer import Tokenizer
from nifos_stream.settings import ModelSettings
from tests.models import make_module, make_tokenizer

CPU = torch.device("cpu")
SAMPLE = Tokenizer(make_tokenizer()).encode(
    ["숲", "정말 좋아요!", "별로예요 ㅠㅠ 다시는 안 가요", "산길 " * 12]
)


class FakeMachine:
    """A machine on which each dtype takes a time of its own for a token, and each chunk a start.

    fits: most tokens that its memory holds, by dtype. refused: how often it has none for the whole model in
    float32.
    """

    def __init__(self, monkeypatch, fits=None, refused=0, **seconds_per_token):
        self.clock = 0.0
        self.measured = 0
        self.refused = refused
        machine = self

        class Timed(PackedElectra):
            def __init__(self, module, *, dtype, device, layers=None):
                super().__init__(module, dtype=dtype, device=device, layers=layers)
                if dtype not in seconds_per_token:
                    raise ValueError(f"there is no {dtype} here")
                self.seconds = seconds_per_token[dtype]
                self.fits = (fits or {}).get(dtype, 1_000_000)
                if machine.refused and (dtype, layers) == ("fp32", None):
                    machine.refused -= 1
                    raise torch.OutOfMemoryError("the memory is full")

            def __call__(self, ids, lengths):
                if len(ids) > self.fits:
                    raise torch.OutOfMemoryError("the memory is full")
                machine.clock += 1 + len(ids) * self.seconds
                machine.measured += 1
                return super().__call__(ids, lengths)

        monkeypatch.setattr(calibrate, "PackedElectra", Timed)

    def choose(self, revision="r1", dtype=None):
        module = make_module(make_tokenizer().get_vocab_size(), layers=2)
        return calibrated(module, SAMPLE, revision=revision, device=CPU, now=lambda: self.clock, dtype=dtype)


def test_the_fastest_dtype_is_taken(monkeypatch):
    assert FakeMachine(monkeypatch, fp32=1.0, bf16=0.5, int8=0.4).choose().dtype == "int8"
    assert FakeMachine(monkeypatch, fp32=1.0, bf16=0.5, int8=0.9).choose("r2").dtype == "bf16"


def test_a_dtype_that_is_only_emulated_is_given_up_early(monkeypatch):
    machine = FakeMachine(monkeypatch, fp32=1.0, bf16=100.0, int8=2.0)
    assert machine.choose().dtype == "fp32"
    assert machine.clock < 100.0 * 1000, "no full chunk was spent on it"


def test_a_dtype_that_is_not_there_is_passed_over(monkeypatch):
    assert FakeMachine(monkeypatch, fp32=1.0, int8=0.5).choose().dtype == "int8"


def test_a_fast_dtype_that_says_something_else_is_not_taken(monkeypatch):
    machine = FakeMachine(monkeypatch, fp32=1.0, bf16=0.5, int8=0.4)
    monkeypatch.setattr(calibrate, "_MOST_DIFFERENCE", 0.0)
    assert machine.choose().dtype == "fp32"


def test_the_smallest_chunk_that_is_as_good_is_taken(monkeypatch):
    """A start of 1 s and 1 s a token: 128 tokens lose 0.8 % to it, which is as good as nothing."""
    assert FakeMachine(monkeypatch, fp32=1.0).choose().chunk_tokens == 128
    assert FakeMachine(monkeypatch, fp32=0.01).choose("r2").chunk_tokens == 1024


def test_a_fixed_dtype_gets_the_chunk_that_suits_it(monkeypatch):
    machine = FakeMachine(monkeypatch, fp32=1.0, bf16=0.01)
    assert machine.choose(dtype="fp32") == Choice("fp32", 128)
    assert machine.choose(dtype="bf16") == Choice("bf16", 1024)
    measured = machine.measured
    assert machine.choose(dtype="fp32") == Choice("fp32", 128)
    assert machine.measured == measured, "it was remembered"


@pytest.mark.parametrize("rates", [{"fp32": 1.0}, {"fp32": 1.0, "bf16": 100.0}])
def test_a_fixed_dtype_that_is_emulated_or_not_there_is_not_measured_for_long(monkeypatch, rates):
    machine = FakeMachine(monkeypatch, **rates)
    assert machine.choose(dtype="bf16") == Choice("bf16", calibrate.DEFAULT_CHUNK_TOKENS["cpu"])
    assert machine.clock < 100.0 * 1000, "no full chunk was spent on it"


def test_chunks_for_which_there_is_no_memory_are_left_out(monkeypatch):
    machine = FakeMachine(monkeypatch, {"fp32": 300, "bf16": 300}, fp32=0.02, bf16=0.01)
    assert machine.choose() == Choice("bf16", 256)
    measured = machine.measured
    machine.choose()
    assert machine.measured > measured, "another program may have had the memory"


def test_a_dtype_for_which_there_is_no_memory_is_left_out(monkeypatch):
    assert FakeMachine(monkeypatch, {"bf16": 0}, fp32=1.0, bf16=0.5).choose().dtype == "fp32"
    assert FakeMachine(monkeypatch, {"bf16": 60}, fp32=1.0, bf16=0.5).choose("r2").dtype == "fp32"
    assert FakeMachine(monkeypatch, {"fp32": 60}, fp32=1.0, bf16=0.5, int8=0.4).choose("r3").dtype == "int8"


def test_where_nothing_fits_the_smallest_chunk_is_tried(monkeypatch):
    assert FakeMachine(monkeypatch, {"fp32": 0}, fp32=1.0).choose() == Choice("fp32", 128)


def test_a_dtype_is_compared_on_the_cpu_where_float32_does_not_fit(monkeypatch):
    machine = FakeMachine(monkeypatch, refused=1, fp32=1.0, bf16=0.5)
    assert (machine.choose().dtype, machine.refused) == ("bf16", 0)


def test_a_choice_is_remembered_for_this_machine_and_model(monkeypatch):
    machine = FakeMachine(monkeypatch, fp32=1.0, bf16=0.5)
    first = machine.choose()
    measured = machine.measured
    assert machine.choose() == first
    assert machine.measured == measured
    machine.choose("another revision")
    assert machine.measured > measured


def test_a_disturbed_measurement_is_not_remembered(monkeypatch):
    machine = FakeMachine(monkeypatch, fp32=1.0)
    noise = itertools.cycle([0, 0, 0, 5000, 0, 9000])
    module = make_module(make_tokenizer().get_vocab_size(), layers=2)

    def disturbed():
        machine.clock += next(noise)
        return machine.clock

    calibrated(module, SAMPLE, revision="r1", device=CPU, now=disturbed)
    measured = machine.measured
    machine.choose()
    assert machine.measured > measured


@pytest.mark.parametrize("damage", ["", "[]", '{"x": 1}', "{ damaged"])
def test_a_damaged_memory_is_no_memory(monkeypatch, tmp_path, damage):
    file = tmp_path / "cache" / "nifos-stream" / "calibration.json"
    file.parent.mkdir(parents=True)
    file.write_text(damage)
    choice = FakeMachine(monkeypatch, fp32=1.0).choose()
    assert list(json.loads(file.read_text()).values())[-1] == {
        "dtype": "fp32",
        "chunk_tokens": choice.chunk_tokens,
    }


def test_a_memory_that_cannot_be_written_is_done_without(monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file where a directory should be")
    assert isinstance(FakeMachine(monkeypatch, fp32=1.0).choose(), Choice)


def test_loading_measures_for_real(model_dir):
    classifier = load_model(model_dir, settings=ModelSettings(device="cpu"))
    assert classifier.dtype in calibrate.CANDIDATES["cpu"]
    assert classifier.chunk_tokens in calibrate.CHUNK_TOKENS["cpu"]
