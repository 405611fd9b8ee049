import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nifos_stream.errors import UserError
from nifos_stream.model.cleaning import STEPS, Cleaning
from tests.unit.model.texts import texts

KEPT = "0-9A-Za-z가-힣ㄱ-ㅎㅏ-ㅣ.,!?~ㅋ❤\ufe0f\u0301"
ALL = Cleaning(STEPS, kept=KEPT)
USUAL = Cleaning(("nfc", "line_breaks", "repeats", "spaces"))


@pytest.mark.parametrize(
    ("given_text", "cleaned"),
    [
        ("ㅋㅋㅋㅋ", "ㅋ"),
        ("좋아요ㅠㅠㅠㅠ 또 올게요!!!!", "좋아요ㅠ 또 올게요!"),
        ("ㅋㅋ !! 두 번은 그대로", "ㅋㅋ !! 두 번은 그대로"),
        ("하하하하 zzzz 5000원", "하하하하 zzzz 5000원"),
        ("최고👍🏻👍🏻👍🏻 ❤\ufe0f❤\ufe0f❤\ufe0f", "최고👍🏻 ❤\ufe0f"),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"),
        (" 첫 줄\r\n\n둘째\u3000줄 ", "첫 줄 둘째 줄"),
        ("____", "_"),
        ("\u0301\u0301\u0301\u0301", "\u0301\u0301\u0301\u0301"),
        (" \n ", ""),
    ],
)
def test_usual_cleaning(given_text, cleaned):
    assert USUAL(given_text) == cleaned


def test_characters_that_are_not_kept_become_spaces():
    assert ALL("좋아요😀또 올게요☆") == "좋아요 또 올게요"


@given(text=texts, steps=st.sets(st.sampled_from(STEPS)))
def test_cleaning_twice_is_cleaning_once(text, steps):
    cleaning = Cleaning(tuple(s for s in STEPS if s in steps), kept=KEPT if "kept" in steps else "")
    assert cleaning(cleaning(text)) == cleaning(text)


@given(texts)
def test_a_trace_is_the_cleaned_text_with_places_that_never_fall(text):
    for cleaning in (ALL, USUAL):
        cleaned = cleaning.trace(text)
        assert cleaned.text == cleaning(text)
        assert len(cleaned.text) == len(cleaned.starts) == len(cleaned.ends)
        assert list(cleaned.starts) == sorted(cleaned.starts)
        assert list(cleaned.ends) == sorted(cleaned.ends)
        assert all(0 <= s < e <= len(text) for s, e in zip(cleaned.starts, cleaned.ends, strict=True))


@given(text=texts, data=st.data())
def test_a_cut_leads_back_to_a_span_that_cleans_to_the_piece(text, data):
    for cleaning in (ALL, USUAL):
        cleaned = cleaning.trace(text)
        length = len(cleaned.text)
        places = [0, *(i for i in range(length) if cleaned.may_cut(i)), length]
        start, end = sorted(data.draw(st.tuples(st.sampled_from(places), st.sampled_from(places))))
        if start < end:
            span = text[cleaned.starts[start] : cleaned.ends[end - 1]]
            assert cleaning(span) == cleaned.text[start:end].strip()


def test_decomposed_hangul_leads_back_to_its_first_jamo():
    text = unicodedata.normalize("NFD", "한글") + "ㅋㅋㅋㅋ!"
    cleaned = USUAL.trace(text)
    assert cleaned.text == "한글ㅋ!"
    assert (list(cleaned.starts), list(cleaned.ends)) == ([0, 3, 6, 10], [3, 6, 10, 11])


@pytest.mark.parametrize(
    ("steps", "kept"),
    [(("spaces", "nfc"), ""), (("lower",), ""), (("kept",), ""), ((), "가-힣"), (("kept",), "z-a")],
)
def test_a_wrong_cleaning_is_one_sentence(steps, kept):
    with pytest.raises(UserError, match=r"\.$"):
        Cleaning(steps, kept=kept)
