import contextlib
import datetime as dt
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nifos_stream.errors import BadMessage, Reason
from nifos_stream.messages import LETTER_HEADERS, SEOUL, LabelledPost, ModelRef, Post
from nifos_stream.model.reading import Reading, SentenceReading
from nifos_stream.stream.codec import (
    RESERVED,
    Record,
    decode,
    encode,
    letter_headers,
    parse_letter,
)

MODEL = ModelRef(name="tiny", revision="0123456789ab")
LABELLED_AT = dt.datetime(2026, 5, 1, 9, 30, 0, 123_999, tzinfo=SEOUL)
WHOLE = Reading(probabilities=(0.1, 0.2, 0.7), tokens=5, sentences=(), truncated=False)


def record(value: bytes | None, headers=()) -> Record:
    return Record(b"key", value, tuple(headers), "nifos.posts", 3, 41, 1_777_000_000_000)


def received(value: bytes | str):
    return decode(record(value.encode() if isinstance(value, str) else value), timezone=SEOUL)


def event_bytes(value: bytes | str, reading: Reading = WHOLE) -> bytes:
    return encode(received(value), reading, model=MODEL, labelled_at=LABELLED_AT)


def event(value: bytes | str, reading: Reading = WHOLE) -> dict:
    return json.loads(event_bytes(value, reading), object_pairs_hook=only_once)


def only_once(pairs):
    members = dict(pairs)
    assert len(members) == len(pairs), "a name stands twice in one object"
    return members


def problem(value: bytes | None) -> BadMessage:
    with pytest.raises(BadMessage) as caught:
        decode(record(value), timezone=SEOUL)
    return caught.value


def nested(levels: int) -> bytes:
    inner = levels - 1
    return b'{"id": "1", "text": "a", "deep": ' + b"[" * inner + b"]" * inner + b"}"


# Reading a post.


def test_a_post_is_read_with_its_unknown_fields():
    post = received('{"id": "7", "text": "숲길", "likes": 3}').post
    assert (post.id, post.text, post.model_extra) == ("7", "숲길", {"likes": 3})


def test_a_byte_order_mark_is_passed_over_and_not_published():
    assert event_bytes(b'\xef\xbb\xbf{"id": "1", "text": "a"}').startswith(
        b'{"id": "1", "text": "a","sentiment"'
    )


def test_a_date_without_zone_is_read_in_the_given_zone():
    post = received('{"id": "1", "text": "a", "created_at": "2026-05-01"}').post
    assert post.created_at == dt.datetime(2026, 5, 1, tzinfo=SEOUL)


def test_of_a_name_given_twice_the_last_value_counts():
    assert received('{"id": "1", "text": "first", "te\\u0078t": "last"}').post.text == "last"


def test_a_hundred_levels_are_read_and_one_more_is_not():
    assert received(nested(100)).plain
    assert problem(nested(101)).reason is Reason.TOO_DEEP


def test_brackets_within_strings_are_no_depth():
    text = "[{" * 500 + '\\"' + "[" * 500
    assert received(f'{{"id": "1", "text": "{text}"}}').plain


def test_a_whole_emoji_written_as_two_halves_is_read():
    assert received('{"id": "1", "text": "\\ud83c\\udf32"}').post.text == "\N{EVERGREEN TREE}"


@pytest.mark.parametrize(
    ("value", "reason", "said"),
    [
        (None, Reason.NO_VALUE, "has no value"),
        (b"", Reason.NOT_JSON, "Expecting value at character 0"),
        (b"\xc0\xaf", Reason.NOT_UTF8, "Byte 0"),
        ('{"id": "1", "text": "본문"}'.encode("cp949"), Reason.NOT_UTF8, "Byte 21"),
        (b'{"id": "1", "text": "\xed\xa0\x80"}', Reason.NOT_UTF8, "Byte 21"),
        (b'{"id": "1", "text": "a"', Reason.NOT_JSON, "delimiter"),
        (b'{"id": "1", "text": "a"} {}', Reason.NOT_JSON, "Extra data"),
        (b"{'id': '1', 'text': 'a'}", Reason.NOT_JSON, "double quotes"),
        (b'{"id": "1", "text": "a", "x": NaN}', Reason.NOT_JSON, "NaN"),
        (b'{"id": "1", "text": "a", "x": -Infinity}', Reason.NOT_JSON, "-Infinity"),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"id": "1", "text": "a"}', Reason.NOT_JSON, "character 0"),
        (b'[{"id": "1", "text": "a"}]', Reason.NOT_AN_OBJECT, "a list"),
        (b'"text"', Reason.NOT_AN_OBJECT, "a string"),
        (b"null", Reason.NOT_AN_OBJECT, "null"),
        (b"false", Reason.NOT_AN_OBJECT, "a truth value"),
        (b"1e3", Reason.NOT_AN_OBJECT, "a number"),
        (b"[" * 100_000, Reason.TOO_DEEP, "100 deep"),
        (b'{"id": "1"}', Reason.INVALID_POST, "Field text is missing."),
        (b'{"text": "a"}', Reason.INVALID_POST, "Field id is missing."),
        (b'{"id": "", "text": "a"}', Reason.INVALID_POST, "Field id is empty."),
        (b'{"id": true, "text": "a"}', Reason.INVALID_POST, "Field id is not a string."),
        (b'{"id": "1", "text": null}', Reason.INVALID_POST, "Field text is not a string."),
        (b'{"id": "1", "text": ["a"]}', Reason.INVALID_POST, "Field text is not a string."),
        (b'{"id": "1", "text": "a", "source": 5}', Reason.INVALID_POST, "Field source is not a string."),
        (b'{"id": "1", "text": "a", "keywords": 5}', Reason.INVALID_POST, "Field keywords is not a list"),
        (b'{"id": "1", "text": "a", "keywords": ["b", 5]}', Reason.INVALID_POST, "Field keywords.1 is not a"),
        (
            b'{"id": "1", "text": "a", "created_at": "soon"}',
            Reason.INVALID_POST,
            "Field created_at is not a date",
        ),
        (
            b'{"id": "1", "text": "a", "created_at": 17}',
            Reason.INVALID_POST,
            "Field created_at must be a string",
        ),
        (b'{"id": "1", "text": "a", "rating": "many"}', Reason.INVALID_POST, "Field rating is not a number."),
        (b'{"id": "1", "text": "a", "rating": true}', Reason.INVALID_POST, "Field rating is not a number."),
        (b'{"id": "1", "text": "a", "rating": 1e999}', Reason.INVALID_POST, "not a finite number."),
        (b'{"id": "1", "text": "\\ud800"}', Reason.INVALID_POST, "Field text holds half"),
        (b'{"id": "1", "text": "a", "x": {"y": ["\\uDFFF"]}}', Reason.INVALID_POST, "Field x holds half"),
        (b'{"id": "1", "text": "a", "\\udc00": 1}', Reason.INVALID_POST, "A field holds half"),
        (b'{"id": "1", "text": "a", "x": ' + b"9" * 5000 + b"}", Reason.INVALID_POST, "thousands of digits"),
        ('{"id": "1", "text": " \\t\\n\u3000\u00a0"}'.encode(), Reason.EMPTY_TEXT, "nothing but space"),
        (b'{"id": "1", "text": ""}', Reason.EMPTY_TEXT, "nothing but space"),
    ],
)
def test_what_is_no_post_is_refused_with_a_reason_and_a_sentence(value, reason, said):
    refused = problem(value)
    assert refused.reason is reason
    assert said in refused.detail
    assert refused.detail.endswith(".")


def test_a_refusal_names_three_problems_and_counts_the_rest():
    refused = problem(b'{"source": 1, "channel": 2, "author": 3}')
    assert refused.detail.endswith("; and 2 more problems.")


def test_a_refusal_never_quotes_the_message():
    for value in (
        b'{"id": "1", "text": "a", "rating": "SECRET"}',
        b'{"id": "1", "text": "a", "created_at": "SECRET"}',
        b'{"id": "1", "text": {"SECRET": 1}}',
        b'{"id": "1", "text": "SECRET"',
        b'{"id": "1", "text": "SECRET", "x": "\\ud800"}',
    ):
        assert "SECRET" not in problem(value).detail


@given(st.binary(max_size=200))
def test_any_bytes_are_a_post_or_are_refused(value):
    with contextlib.suppress(BadMessage):
        assert decode(record(value), timezone=SEOUL).post.text


# Writing an event.


def test_an_event_is_the_post_and_what_we_add():
    labelled = LabelledPost.model_validate(event('{"id": "1", "text": "숲길", "likes": 3}'))
    assert labelled.text == "숲길"
    assert labelled.model_extra == {"likes": 3}
    assert (labelled.sentiment.label, labelled.sentiment.label_ko) == ("positive", "긍정")
    assert labelled.sentiment.score == 0.7
    assert labelled.model == MODEL
    assert labelled.origin.model_dump() == {
        "topic": "nifos.posts",
        "partition": 3,
        "offset": 41,
        "timestamp": 1_777_000_000_000,
    }
    assert labelled.matched_keywords == ()
    assert labelled.truncated is False


def test_the_time_of_labelling_is_utc_to_the_millisecond():
    assert event('{"id": "1", "text": "a"}')["labelled_at"] == "2026-05-01T00:30:00.123Z"


def test_matched_keywords_are_carried():
    said = encode(
        received('{"id": "1", "text": "a"}'),
        WHOLE,
        model=MODEL,
        labelled_at=LABELLED_AT,
        matched_keywords=["산불", '"quoted"'],
    )
    assert json.loads(said)["matched_keywords"] == ["산불", '"quoted"']


def test_numbers_stay_as_they_were_written():
    post = (
        b'{"id": "1", "text": "a", "model": 1.00, "n": 123456789012345678901234567890, "e": 1E+2, "z": -0.0}'
    )
    written = event_bytes(post)
    for part in (b'"n": 123456789012345678901234567890', b'"e": 1E+2', b'"z": -0.0', b'"model":1.00'):
        assert part.replace(b": ", b":") in written.replace(b": ", b":")


def test_a_post_keeps_its_own_value_of_a_reserved_name_under_original():
    said = event('{"id": "1", "text": "a", "mod\\u0065l": "T", "original": {"a": 1}, "truncated": null}')
    assert said["original"] == {"model": "T", "original": {"a": 1}, "truncated": None}
    assert said["model"]["name"] == "tiny"


def test_a_name_given_twice_is_published_once_with_its_last_value():
    said = event('{"id": "1", "likes": 1, "text": "a", "l\\u0069kes": 2}')
    assert said["likes"] == 2


def test_equal_names_within_a_field_are_the_posts_own_matter():
    assert b'{"a":1,"a":2}' in event_bytes('{"id": "1", "text": "a", "x": {"a":1,"a":2}, "model": 0}')


NAMES = st.one_of(
    st.sampled_from(sorted(RESERVED)),
    st.sampled_from(
        ["id", "text", "likes", "from", "model_config", "copy", "__class__", "", "숲", 'a"b', "\\"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
NUMBERS = st.sampled_from(["0", "-0", "1.00", "1E+2", "1e-7", "123456789012345678901234567890", "-12.5e0"])
VALUES = st.recursive(
    st.one_of(
        NUMBERS,
        st.sampled_from(["true", "false", "null"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(json.dumps),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(
            lambda text: json.dumps(text, ensure_ascii=False)
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{' , '.join(items)} ]"),
        st.lists(st.tuples(NAMES.map(json.dumps), inner), max_size=3).map(
            lambda members: "{ " + ",".join(f"{name}: {value}" for name, value in members) + "}"
        ),
    ),
    max_leaves=8,
)


@st.composite
def escaped(draw, name: str) -> str:
    """A JSON string of `name` in which some characters are written as escapes that need not be."""
    plain = draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    halves = [char.encode("utf-16-be") for char in name]
    units = ["".join(f"\\u{half[i : i + 2].hex()}" for i in range(0, len(half), 2)) for half in halves]
    pieces = zip(name, units, plain, strict=True)
    return '"' + "".join(c if keep and c.isalnum() else unit for c, unit, keep in pieces) + '"'


@st.composite
def posts(draw) -> str:
    """Any JSON object that is a post, with repeated, reserved and escaped names, space, odd numbers."""
    # Hypothesis finds the names of a post's own fields, too, and not any value is one of theirs.
    names = [name for name in draw(st.lists(NAMES, max_size=8)) if name not in Post.model_fields]
    members = [(draw(escaped(name)), draw(VALUES)) for name in names]
    members += [('"id"', '"1"'), ('"te\\u0078t"', '"숲길"')]
    members = draw(st.permutations(members))
    space = st.text(" \t\r\n", max_size=2)
    inside = ",".join(
        f"{draw(space)}{name}{draw(space)}:{draw(space)}{value}{draw(space)}" for name, value in members
    )
    return f"{draw(space)}{{{inside}}}{draw(space)}"


def as_written(text: str):
    """JSON with numbers as their text and objects as lists of pairs, so that nothing is lost in reading."""
    return json.loads(
        text, parse_int=lambda n: ("number", n), parse_float=lambda n: ("number", n), object_pairs_hook=list
    )


@given(posts())
def test_an_event_holds_exactly_the_members_of_the_post_and_ours(post):
    written = event_bytes(post).decode()
    labelled = LabelledPost.model_validate(json.loads(written))
    assert labelled.text == "숲길"
    members = only_once(as_written(written))
    own = dict(as_written(post))
    moved = {name: value for name, value in own.items() if name in RESERVED}
    original = only_once(members.pop("original", []))
    assert original == moved
    assert members.keys() - own.keys() | (own.keys() & RESERVED - {"original"}) == RESERVED - {"original"}
    assert {name: members[name] for name in own if name not in RESERVED} == {
        name: value for name, value in own.items() if name not in RESERVED
    }


# What the model read.


def sentence(start, end, tokens, probabilities) -> SentenceReading:
    return SentenceReading(start=start, end=end, tokens=tokens, probabilities=probabilities)


def split(*sentences: SentenceReading) -> Reading:
    tokens = sum(s.tokens for s in sentences)
    mean = tuple(sum(s.tokens * s.probabilities[i] for s in sentences if s.tokens) / tokens for i in range(3))
    return Reading(probabilities=mean, tokens=tokens, sentences=sentences, truncated=False)


def test_each_sentence_has_its_span_tokens_and_verdict():
    reading = split(sentence(0, 4, 3, (0.6, 0.3, 0.1)), sentence(5, 9, 6, (0.0, 0.0, 1.0)))
    sentiment = LabelledPost.model_validate(event('{"id": "1", "text": "a"}', reading)).sentiment
    first, second = sentiment.sentences
    assert (first.start, first.end, first.tokens, first.label, first.score) == (0, 4, 3, "negative", 0.6)
    assert (second.start, second.end, second.label, second.score) == (5, 9, "positive", 1.0)
    assert sentiment.probabilities.model_dump() == {"negative": 0.2, "neutral": 0.1, "positive": 0.7}


def test_a_sentence_of_which_nothing_was_left_has_no_verdict_and_no_weight():
    reading = split(sentence(0, 4, 0, (math.nan,) * 3), sentence(5, 9, 6, (0.5, 0.25, 0.25)))
    sentiment = event('{"id": "1", "text": "a"}', reading)["sentiment"]
    assert sentiment["sentences"][0] == {
        "from": 0,
        "to": 4,
        "tokens": 0,
        "label": None,
        "score": None,
        "probabilities": None,
    }
    assert sentiment["probabilities"] == {"negative": 0.5, "neutral": 0.25, "positive": 0.25}


@st.composite
def probabilities(draw) -> tuple[float, float, float]:
    """Three numbers of six decimals that sum to one, as a model gives them."""
    first = draw(st.integers(0, 1_000_000))
    second = draw(st.integers(0, 1_000_000 - first))
    return (first / 1e6, second / 1e6, (1_000_000 - first - second) / 1e6)


@given(probabilities())
def test_an_event_says_just_what_the_model_said(said):
    reading = Reading(probabilities=said, tokens=5)
    sentiment = event('{"id": "1", "text": "a"}', reading)["sentiment"]
    assert tuple(sentiment["probabilities"].values()) == said
    assert (sentiment["label"], sentiment["label_ko"]) == (reading.label, reading.label_ko)
    assert sentiment["score"] == max(said)


# Dead letters.


def test_a_dead_letter_keeps_the_messages_own_headers_before_ours():
    own = (("traceparent", b"00-1"), ("empty", None), ("nifos.reason", b"mine"))
    headers = letter_headers(
        record(b"x", own), "not_json", "Byte 1 …", failed_at=LABELLED_AT, version="1.2.3"
    )
    assert tuple(headers[:3]) == own
    assert tuple(name for name, _ in headers[3:]) == LETTER_HEADERS


def test_a_dead_letter_is_read_back_as_it_was_written():
    own = tuple((name, b"own") for name in LETTER_HEADERS)
    headers = letter_headers(record(b"x", own), "not_json", "설명", failed_at=LABELLED_AT, version="1.2.3")
    letter = parse_letter(headers)
    assert letter is not None
    assert letter.headers == own
    assert (letter.reason, letter.detail, letter.version) == ("not_json", "설명", "1.2.3")
    assert (letter.origin.topic, letter.origin.partition, letter.origin.offset) == ("nifos.posts", 3, 41)
    assert letter.failed_at == LABELLED_AT.replace(microsecond=123_000)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("nifos.reason", b"x")],
        [(name, b"not a number") for name in LETTER_HEADERS],
        [(name, None) for name in LETTER_HEADERS],
        [(name, b"1") for name in reversed(LETTER_HEADERS)],
    ],
)
def test_what_is_no_dead_letter_of_ours_is_not_taken_for_one(headers):
    assert parse_letter(headers) is None
