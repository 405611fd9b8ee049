import time

import pytest
from hypothesis import given

from nifos_stream.model.sentences import split
from tests.unit.model.texts import texts


def parts(text):
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("숲이 좋았어요. 다음에 또 올게요!", ["숲이 좋았어요.", "다음에 또 올게요!"]),
        ("정말 좋다.그런데 멀다", ["정말 좋다.", "그런데 멀다"]),
        ("첫 줄\n둘째 줄\r\n\r\n셋째", ["첫 줄", "둘째 줄", "셋째"]),
        ("재밌어요ㅋㅋㅋ 근데 비싸요ㅠㅠ 아쉽네~ 끝", ["재밌어요ㅋㅋㅋ", "근데 비싸요ㅠㅠ", "아쉽네~", "끝"]),
        ("좋아요!!ㅋㅋ 또 가요…ㅠ 네?!", ["좋아요!!ㅋㅋ", "또 가요…ㅠ", "네?!"]),
        ("최고😀👍🏻 추천♡ 끝", ["최고😀👍🏻", "추천♡", "끝"]),
        ("평점 3.5점. naver.com 에서 10~ 12시", ["평점 3.5점.", "naver.com 에서 10~ 12시"]),
        ("1. 산책로 2. 숲길", ["1. 산책로 2.", "숲길"]),
        ("2020.06.01. 다녀옴", ["2020.06.01.", "다녀옴"]),
        ("친구가 “좋아요!”라고 했다. “멋져!” 나도.", ["친구가 “좋아요!”라고 했다.", "“멋져!”", "나도."]),
        ("ㅋㅋㅋ웃겨요 하하", ["ㅋㅋㅋ웃겨요 하하"]),
        ("(그냥) 그래요 ㅋ 네", ["(그냥) 그래요 ㅋ 네"]),
        (" \n ", []),
        ("", []),
    ],
)
def test_sentences_end_where_koreans_end_them(text, expected):
    assert parts(text) == expected


@given(texts)
def test_sentences_are_in_order_disjoint_and_cover_every_character(text):
    covered = set()
    last = 0
    for start, end in split(text):
        assert last <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        covered |= set(range(start, end))
        last = end
    assert all(i in covered or character.isspace() for i, character in enumerate(text))


@pytest.mark.parametrize("unit", ["~", "~ㅋㅋ", ".", "ㅋ", "😀~", "a.", '"', "^x"])
def test_a_text_of_nothing_but_ends_takes_linear_time(unit):
    begin = time.perf_counter()
    list(split(unit * 100_000 + "x"))
    assert time.perf_counter() - begin < 2
