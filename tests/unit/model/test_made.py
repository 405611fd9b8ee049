import pytest

from nifos_stream.errors import UserError
from nifos_stream.model import Reading, load_model
from nifos_stream.model.bare import Bare
from nifos_stream.model.lanes import Lanes
from nifos_stream.model.made import write_random
from nifos_stream.settings import ModelSettings
from tests.models import SPECIAL

FP32 = ModelSettings(dtype="fp32", device="cpu", chunk_tokens=128)


def test_a_model_of_one_unit_reads_texts(tmp_path):
    write_random(tmp_path / "null", "null")
    readings = load_model(tmp_path / "null", settings=FP32).classify(["숲길이 정말 좋았어요", "별로"])
    assert all(isinstance(reading, Reading) for reading in readings)


def test_a_vocabulary_of_ones_own_is_taken(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("\n".join([*SPECIAL, "숲", "##길"]) + "\n", encoding="utf-8")
    write_random(tmp_path / "null", "null", words)
    reading = load_model(tmp_path / "null", settings=FP32).classify(["숲길"])[0]
    assert isinstance(reading, Reading)
    assert reading.tokens == 4


def test_a_vocabulary_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        write_random(tmp_path / "null", "null", tmp_path / "missing.txt")


def test_the_bare_pass_reads_every_token_once(tmp_path):
    write_random(tmp_path / "null", "null")
    classifier = load_model(tmp_path / "null", settings=FP32)
    ids = [piece.ids for text in classifier.prepare(["숲길이 좋다"] * 40).texts for piece in text.pieces]
    ran = []
    run = classifier.run
    classifier.run = lambda ids, lengths: ran.append((len(ids), len(lengths))) or run(ids, lengths)
    ticks = iter(range(100))
    bare = Bare(classifier, str(tmp_path / "null"), ids, lanes=Lanes(1), now=lambda: next(ticks))
    assert (bare.forward_seconds(), bare.product_seconds()) == (1, 1)
    assert sum(texts for _, texts in ran) == 40
    assert sum(tokens for tokens, _ in ran) == sum(len(each) for each in ids) // 4
    assert all(tokens <= 128 for tokens, _ in ran)
