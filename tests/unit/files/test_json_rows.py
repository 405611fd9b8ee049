"""Rows of JSON, one a line or in an array."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nifos_stream.files.json_rows import array_rows, line_rows
from nifos_stream.files.rows import Reject, Row
from nifos_stream.files.text import MAX_ROW_CHARACTERS, Line

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('산 "\\[]{},\n'), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
DOCUMENT = st.dictionaries(st.text(st.sampled_from('a"\\[{'), max_size=3), VALUE, max_size=4)


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(DOCUMENT, max_size=5), size=st.integers(1, 30), indent=st.sampled_from([None, 2]))
def test_an_array_is_read_however_it_is_cut(documents, size, indent):
    rows = list(array_rows(pieces(json.dumps(documents, ensure_ascii=False, indent=indent), size)))
    assert rows == [Row(number, document) for number, document in enumerate(documents, 1)]


def test_a_bad_element_does_not_touch_the_next():
    rows = list(array_rows(['[{"text":"하나"},{bad},7,"말",{"text":"둘"}, {"n":NaN},]']))
    assert rows[0] == Row(1, {"text": "하나"})
    assert rows[4] == Row(5, {"text": "둘"})
    reasons = [row.reason for row in rows if isinstance(row, Reject)]
    assert reasons[0].startswith("is not JSON: Expecting property name")
    assert reasons[1:4] == [
        "is a number, not a JSON object",
        "is a string, not a JSON object",
        "is not JSON: NaN is no number in JSON",
    ]
    assert reasons[4].startswith("is not JSON")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"text":"하나"},{"text":"둘', "the array is not closed"),
        ('[{"text":"하나"}] {"text":"둘"}', "stands behind the end of the array"),
        ('[{"text":"하나"}},{"text":"둘"}]', "stands behind the end of the array"),
    ],
)
def test_an_array_that_does_not_end_well_says_so(text, reason):
    rows = list(array_rows([text]))
    assert rows[0] == Row(1, {"text": "하나"})
    assert rows[1].reason == reason


def test_an_empty_array_has_no_rows():
    assert list(array_rows([" [ ] "])) == []


def test_an_element_that_never_ends_is_given_up():
    rows = list(array_rows(['[{"text":"', *("산" * 1_000_000 for _ in range(5))]))
    assert len(rows) == 1
    assert rows[0].reason.startswith(f"is longer than {MAX_ROW_CHARACTERS:,} characters")


def test_a_line_is_a_row_and_a_bad_line_says_why():
    lines = ['{"text": "산불"}', "", "{bad}", "[1]", "[" * 100_000, "1" * 5000, '{"n": Infinity}', '"\udc80"']
    rows = list(line_rows(Line(number, text) for number, text in enumerate(lines, 1)))
    assert rows[0] == Row(1, {"text": "산불"})
    assert [row.line for row in rows] == [1, 3, 4, 5, 6, 7, 8]
    reasons = [row.reason for row in rows[1:]]
    assert reasons[0].startswith("is not JSON: Expecting property name enclosed in double quotes")
    assert reasons[1:3] == ["is a list, not a JSON object", "is nested too deep"]
    assert reasons[3].startswith("is not JSON: Exceeds the limit")
    assert reasons[4:] == [
        "is not JSON: Infinity is no number in JSON",
        "has bytes that are no text in the encoding of the file",
    ]


def test_half_of_a_surrogate_pair_is_no_text_and_a_whole_one_is():
    lines = ['{"text":"\\ud800"}', '{"text":"\\ud83d\\ude00"}', '{"text":"\\\\ud800"}']
    half, *whole = line_rows(Line(number, line) for number, line in enumerate(lines, 1))
    assert isinstance(half, Reject)
    assert half.reason == "has half of a surrogate pair, which is no character"
    assert whole == [Row(2, {"text": "😀"}), Row(3, {"text": "\\ud800"})]
