from hypothesis import given, settings
from hypothesis import strategies as st

from nifos_stream.counters import fields

any_text = st.text(max_size=60)


@settings(deadline=None)
@given(any_text)
def test_a_value_comes_back_as_it_was(value):
    assert fields.read(fields.written(value)) == value


@settings(deadline=None)
@given(any_text)
def test_a_written_value_holds_no_separator(value):
    assert ":" not in fields.written(value)
    assert "*" not in fields.written(value)


@settings(deadline=None)
@given(any_text, any_text, any_text, any_text)
def test_two_pairs_are_written_alike_only_if_they_are(a, b, c, d):
    one = fields.pair(fields.written(a), fields.written(b))
    other = fields.pair(fields.written(c), fields.written(d))
    assert (one == other) == ((a, b) == (c, d))


def test_case_and_spaces_are_kept():
    assert fields.written(" Twitter ") == " Twitter "


def test_a_long_value_is_bounded_and_stays_apart_from_others():
    one, other = "숲" * 1000 + "a", "숲" * 1000 + "b"
    assert len(fields.written(one)) == fields.MAX_VALUE_LENGTH
    assert fields.written(one) != fields.written(other)
    assert fields.written("숲" * 200) == "숲" * 200


def test_half_a_surrogate_pair_becomes_valid_text():
    written = fields.written("a\ud800b")
    assert written.encode() == "a\ufffdb".encode()
    assert fields.written("\ud83c\udf32") == "🌲"
