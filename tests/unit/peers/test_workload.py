"""All read the same model directory, and texts that any of them reads alike."""

from tests.models import make_model_dir
from tests.peers.workload import readable, workload


def test_a_text_is_taken_clean_whole_and_once(tmp_path):
    model = make_model_dir(tmp_path / "model")
    texts = ["숲길  좋아요", "숲길 좋아요", "좋아요 " * 60, " ", "별로예요\nㅋㅋㅋㅋ"]
    assert readable(model, texts) == ["숲길 좋아요", "별로예요 ㅋ"]


def test_transformers_alone_reads_the_models_tokenizer(tmp_path):
    from transformers import AutoTokenizer

    load = workload(tmp_path, "tiny", 20, vocabulary=None, texts=None, repeats=0.0)
    tokenizer = AutoTokenizer.from_pretrained(load.model)
    assert tokenizer.model_max_length == 60
    assert len(load.texts) == len(set(load.texts)) == 20


def test_texts_come_again_when_asked(tmp_path):
    load = workload(tmp_path, "tiny", 200, vocabulary=None, texts=None, repeats=0.5)
    assert len(load.texts) == 200
    assert 60 < len(set(load.texts)) < 140
