import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nifos_stream.model.cleaning import Cleaning
from nifos_stream.model.pieces import Splitter
from nifos_stream.model.tokenizer import Tokenizer, length_of
from tests.models import make_tokenizer
from tests.unit.model.texts import texts

TOKENIZER = Tokenizer(make_tokenizer())
USUAL = Cleaning(("nfc", "line_breaks", "repeats", "spaces"))
PLAIN = Cleaning(("nfc", "line_breaks", "spaces"))
KEPT = Cleaning(("nfc", "kept", "repeats", "spaces"), kept="가-힣ㄱ-ㅎㅏ-ㅣ.!?~")
BARE = Cleaning(())


def splitter(cleaning=USUAL, max_length=12, max_sentences=10_000, mode="auto"):
    return Splitter(cleaning, TOKENIZER, max_length=max_length, max_sentences=max_sentences, mode=mode)


def ids_of(cleaning, text):
    return TOKENIZER.encode([cleaning(text)])[0]


@given(
    text=st.lists(texts, min_size=1, max_size=4).map(" ".join),
    cleaning=st.sampled_from([USUAL, PLAIN, KEPT, BARE]),
    mode=st.sampled_from(["auto", "always"]),
)
@example(text="ㅋ" * 500, cleaning=PLAIN, mode="auto")
@example(text="ㅋ" * 500, cleaning=USUAL, mode="auto")
@example(text=" " * 500, cleaning=USUAL, mode="auto")
@example(text="좋아요" * 80, cleaning=USUAL, mode="auto")
@example(text=unicodedata.normalize("NFD", "정말 좋은 숲길이었어요 " * 20), cleaning=USUAL, mode="auto")
@example(text="👨\u200d👩\u200d👧\u200d👦" * 60, cleaning=PLAIN, mode="auto")
@example(text="가" + "\u0301\u0323" * 300, cleaning=USUAL, mode="auto")
@example(text="좋아요.별로예요.정말좋은숲!그저그래요?" * 10, cleaning=USUAL, mode="auto")
@example(text="가나 다라 마바 사아 자차 카타 파하 " * 40, cleaning=BARE, mode="auto")
def test_a_piece_is_what_its_span_cleans_to(text, cleaning, mode):
    """Spans are in order, disjoint, cover what was written, and clean to the very ids that are read."""
    found = splitter(cleaning, mode=mode).split([text])[0]
    covered = set()
    last = 0
    for piece in found.pieces:
        assert last <= piece.start < piece.end <= len(text)
        assert piece.ids == ids_of(cleaning, text[piece.start : piece.end])
        assert TOKENIZER.special_tokens < length_of(piece.ids) <= 12
        covered |= set(range(piece.start, piece.end))
        last = piece.end
    assert not found.truncated
    if found.pieces:
        assert all(i in covered or character.isspace() for i, character in enumerate(text))
    else:
        assert length_of(ids_of(cleaning, text)) == TOKENIZER.special_tokens


@given(text=texts, most=st.integers(1, 5))
def test_what_is_left_beyond_the_last_sentence_is_said(text, most):
    everything = splitter().split([text])[0]
    some = splitter(max_sentences=most).split([text])[0]
    assert some.pieces == everything.pieces[:most] or len(some.pieces) == most
    assert some.truncated == (len(everything.pieces) > most)


def test_a_text_that_fits_is_read_whole():
    found = splitter().split(["정말 좋아요. 별로예요."])[0]
    assert (found.whole, found.truncated, len(found.pieces)) == (True, False, 1)


def test_sentences_are_cut_at_a_space_when_they_do_not_fit():
    text = "가나다 라마바 사아자 차카타 파하"
    found = splitter(max_length=10).split([text])[0]
    assert [text[p.start : p.end] for p in found.pieces] == ["가나다 라마바", "사아자 차카타 파하"]


def test_always_splits_what_would_fit():
    found = splitter(mode="always").split(["좋아요. 별로!", "좋아요."])
    assert [len(pieces.pieces) for pieces in found] == [2, 1]
    assert [pieces.whole for pieces in found] == [False, True]


def test_never_reads_the_beginning_alone():
    found = splitter(mode="never").split(["가 나 다 " * 20])[0]
    assert (found.whole, found.truncated) == (True, True)
    ids = ids_of(USUAL, "가 나 다 " * 20)
    assert found.pieces[0].ids == ids[: 11 * 4] + ids[-4:]


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "\u200b"])
def test_nothing_is_left_of_an_empty_text(text):
    assert splitter().split([text])[0].pieces == ()


def test_lines_without_a_token_go_to_their_neighbours():
    text = "☆\n" + "정말 좋아요 " * 5 + "\n☆☆"
    found = splitter(KEPT).split([text])[0]
    assert (found.pieces[0].start, found.pieces[-1].end) == (0, len(text))


def test_a_huge_text_costs_no_more_than_what_is_read_of_it():
    found = splitter(PLAIN, max_length=60, max_sentences=64).split(["가 나다라 마바" * 100_000])[0]
    assert len(found.pieces) == 64
    assert found.truncated
