"""Words of the watch list are found as words, however people write them."""

import random
import unicodedata

import pytest

from nifos_stream.keywords.matcher import Matcher
from nifos_stream.keywords.word import Word


def find(text, *spellings, title=None, compounds=False):
    return list(Matcher(Word(each, compounds) for each in spellings).find(title, text))


@pytest.mark.parametrize(
    "text",
    [
        "어제 산불이 났다",
        "산불은",
        "산불에서는",
        "산불",
        "#산불",
        "\u201c산불\u201d",
        "LA산불",
        "2026산불!",
        "ㅋㅋ산불ㅠㅠ",
        "🔥산불🔥",
        "산불CCTV",
        "산불을\n막자",
        unicodedata.normalize("NFD", "산불이 났다"),
        "\ud83d산불이",
    ],
)
def test_a_word_is_found_where_it_stands_as_a_word(text):
    assert find(text, "산불") == ["산불"]


@pytest.mark.parametrize("text", ["재산불법", "산불감시원", "산 불", "대형산불", "산불법", ""])
def test_a_word_within_another_is_not_found(text):
    assert find(text, "산불") == []


def test_a_word_that_takes_compounds_is_found_at_the_beginning_of_longer_ones():
    assert find("산불감시원이", "산불", compounds=True) == ["산불"]
    assert find("대형산불", "산불", compounds=True) == []
    assert find("forests", "forest", compounds=True) == ["forest"]


@pytest.mark.parametrize("text", ["KTX가", "ktx", "강릉KTX역", "(Ktx)"])
def test_latin_words_are_found_in_any_case_and_spelled_as_in_the_list(text):
    assert find(text, "KTX") == ["KTX"]


@pytest.mark.parametrize("text", ["ktx2", "xktx", "KTX_A", "éktx"])
def test_latin_words_have_boundaries(text):
    assert find(text, "KTX") == []


@pytest.mark.parametrize("text", ["국립 공원에", "국립\u00a0 \n공원", "국립공원이라서"])
def test_spaces_between_syllables_are_free(text):
    assert find(text, "국립 공원") == ["국립 공원"]


def test_spaces_between_latin_words_are_there_however_many():
    assert find("Forest\t Fire", "forest fire") == ["forest fire"]
    assert find("forestfire", "forest fire") == []


def test_title_and_text_are_searched_apart():
    assert find("공원", "국립 공원", title="국립") == []
    assert find("불이야", "산불", "불", title="산불") == ["산불", "불"]


def test_each_word_is_found_once_and_words_within_words_too():
    assert find("산불 예방 산불, 산불예방이", "산불", "산불 예방", "예방") == ["산불", "산불 예방", "예방"]


def test_two_spellings_of_one_word_are_both_found():
    assert find("ktx", "KTX", "ktx") == ["KTX", "ktx"]


def test_chinese_characters_have_no_boundaries():
    assert find("大山火災", "山火") == ["山火"]


def test_an_empty_list_finds_nothing():
    assert find("산불") == []


def test_what_is_found_is_what_a_plain_search_finds():
    """Against a search of each word by itself, over made-up words and texts."""
    rng = random.Random(5)
    syllables = "산불이가은는길숲로에서"
    words = sorted({"".join(rng.choices(syllables, k=rng.randint(2, 3))) for _ in range(60)})
    matcher = Matcher(map(Word, words))
    for _ in range(300):
        text = "".join(rng.choices(syllables + "  ", k=30))
        alone = {word for word in words if Matcher([Word(word)]).find(text)}
        assert set(matcher.find(text)) == alone
        assert all(word in text for word in alone)
        assert alone >= {word for word in words if f" {word} " in f" {text} "}


@pytest.mark.parametrize("characters", [1, 2, 7])
def test_a_long_text_is_searched_by_pieces_and_nothing_between_them_is_missed(monkeypatch, characters):
    text = "산불이 난 국립공원에서 산불감시원이 KTX를 국립 공원 산불은 재산불법"
    words = ["산불", "국립 공원", "공원", "KTX", "재산", "국립 공원 산불"]
    whole = find(text, *words)
    monkeypatch.setattr("nifos_stream.keywords.matcher._PIECE_CHARACTERS", characters)
    assert find(text, *words) == whole == ["산불", "국립 공원", "KTX", "공원", "국립 공원 산불"]
