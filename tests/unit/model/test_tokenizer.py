from nifos_stream.model.tokenizer import Tokenizer, length_of, truncated
from tests.models import make_tokenizer

TOKENIZER = Tokenizer(make_tokenizer())


def test_ids_carry_the_special_tokens():
    ids = TOKENIZER.encode(["숲 !", ""])
    assert [length_of(text) for text in ids] == [4, 2]
    assert TOKENIZER.special_tokens == 2


def test_a_tokenizer_that_pads_and_truncates_is_told_not_to():
    backend = make_tokenizer()
    backend.enable_padding(length=40)
    backend.enable_truncation(5)
    assert length_of(Tokenizer(backend).encode(["숲 산 길 숲 산 길"])[0]) == 8


def test_starts_are_places_in_the_text():
    assert TOKENIZER.starts("숲길  좋아요!") == [0, 1, 4, 7]


def test_a_truncated_text_keeps_its_last_token():
    ids = TOKENIZER.encode(["숲 산 길"])[0]
    assert truncated(ids, 3) == ids[:8] + ids[-4:]


def test_half_of_a_surrogate_pair_is_read_as_a_character_that_is_not_known():
    assert TOKENIZER.encode(["숲\ud800길", "숲"]) == TOKENIZER.encode(["숲\ufffd길", "숲"])
    assert TOKENIZER.starts("숲\ud800길") == TOKENIZER.starts("숲\ufffd길")
