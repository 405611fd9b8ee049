"""Which encoding a file has, told by its bytes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nifos_stream.files.encoding import BROKEN, Decoder

HANGUL = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
KOREAN = st.text(st.one_of(HANGUL, st.sampled_from(" .,!?ㅋㅠab1\n")), min_size=1)


def decoded(data: bytes, *, chunk: int = 7) -> str:
    decoder = Decoder()
    pieces = [decoder.decode(data[at : at + chunk]) for at in range(0, len(data), chunk)]
    return "".join(pieces) + decoder.decode(b"", final=True)


@settings(max_examples=60, deadline=None)
@given(text=KOREAN, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), chunk=st.integers(1, 40))
def test_unicode_is_read_however_it_is_cut(text, encoding, chunk):
    assert decoded(text.encode(encoding), chunk=chunk) == text


@settings(max_examples=60, deadline=None)
@given(text=KOREAN)
def test_cp949_is_read_as_what_it_is(text):
    """A sentence of Korean in CP949 is no UTF-8 by chance."""
    whole = "산불이 났다. " + text
    assert decoded(whole.encode("cp949"), chunk=1000) == whole


def test_cp949_is_recognised_behind_a_long_beginning_in_ascii():
    data = b"id,text\n" + b"1,fire\n" * 50_000 + "2,산불\n".encode("cp949")
    assert decoded(data, chunk=65_536).endswith("2,산불\n")


def test_one_broken_byte_does_not_make_another_encoding_of_a_file():
    data = "산불이 났다\n".encode() + b"\xff" + "무섭다\n".encode()
    assert decoded(data, chunk=1000) == f"산불이 났다\n{BROKEN}무섭다\n"


def test_a_character_cut_off_at_the_end_is_broken():
    assert decoded("산불".encode()[:-1], chunk=100) == f"산{BROKEN}"
    assert decoded("산불".encode("utf-16")[:-1], chunk=100) == f"산{BROKEN}"


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", random.Random(5).randbytes(50_000)]
)
def test_what_is_no_text_is_refused(data):
    with pytest.raises(ValueError, match="it is not text in UTF-8, UTF-16 with a byte order mark, or CP949"):
        decoded(data, chunk=65_536)
