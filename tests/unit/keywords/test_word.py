"""A word has one spelling in the list, and its record says when it came."""

import datetime as dt
import unicodedata

import pytest

from nifos_stream.keywords.word import Word, decode, key_of, spelled, value_of


def test_a_word_is_composed_and_trimmed():
    assert spelled(unicodedata.normalize("NFD", "  산불 \n 예방 ")) == "산불 예방"


@pytest.mark.parametrize("emoji", ["🔥", "👨\u200d🚒"])
def test_an_emoji_is_a_word(emoji):
    assert spelled(emoji) == emoji


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (" ", "no letter"),
        ("…", "no letter"),
        ("산\x07불", "cannot be shown"),
        ("산불\u200b", "cannot be shown"),
        ("\ufeff산불", "cannot be shown"),
        ("가" * 65, "longer than 64"),
        ("한 두 세 네 다섯 여섯", "more than 5 parts"),
    ],
)
def test_what_can_be_no_word_says_why(written, problem):
    with pytest.raises(ValueError, match=problem):
        spelled(written)


def test_a_record_says_what_the_word_says():
    word = Word("산불", True, dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC))
    assert decode(key_of(word), value_of(word)) == word


@pytest.mark.parametrize(
    "value", [b"{", b"[]", b"1", b"\xff", b'{"added_at": "yesterday"}', b'{"added_at": {}}']
)
def test_a_strange_value_says_nothing_of_its_word(value):
    assert decode("산불".encode(), value) == Word("산불")


@pytest.mark.parametrize("key", [None, b"", b"\xff", b" "])
def test_a_strange_key_is_no_word(key):
    with pytest.raises(ValueError, match=r"UTF-8|no letter"):
        decode(key, b"{}")
