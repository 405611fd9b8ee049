import json
import unicodedata
from zoneinfo import ZoneInfo

import orjson
import pytest

from nifos_stream.counters import event as event_module
from nifos_stream.counters.event import NotAnEvent, Skip, decode

SEOUL = ZoneInfo("Asia/Seoul")
LABELLED_AT = 1_777_777_777.0


def event(**changes):
    parts = {
        "id": "1",
        "text": "숲",
        "source": "twitter",
        "channel": "sns",
        "created_at": "2026-05-01T09:30:00+09:00",
        "keywords": ["산불"],
        "sentiment": {"label": "positive", "label_ko": "긍정", "score": 0.9},
        "model": {"name": "tiny", "revision": "r1"},
        "labelled_at": "2026-05-03T03:09:37+00:00",
        "origin": {"topic": "posts", "partition": 0, "offset": 7, "timestamp": 1_777_000_000_500},
        "matched_keywords": [],
    }
    return {**parts, **changes}


def read(parts, tolerance=600.0):
    return decode(json.dumps(parts).encode(), SEOUL, tolerance)


def test_an_event_is_read_for_what_is_counted():
    found = read(event())
    assert found.signature == (2, "twitter", "sns", ("산불",), "r1")
    assert found.time == 1_777_595_400
    assert found.labelled_at == LABELLED_AT
    assert found.sentences == (0, 0, 1)


@pytest.mark.parametrize("written", ["2026-05-01T09:30:00", " 2026-05-01T00:30:00Z ", "2026-05-01T09:30"])
def test_a_time_without_zone_is_read_in_the_time_zone(written):
    assert read(event(created_at=written)).time == 1_777_595_400


def test_without_its_own_date_the_record_has_one():
    assert read(event(created_at=None)).time == 1_777_000_000.5
    undated = event(created_at=None, origin={"timestamp": -1})
    assert read(undated).time == LABELLED_AT


def test_a_date_too_far_ahead_is_not_believed():
    ahead = event(created_at="2026-05-03T12:19:38+09:00")
    at_the_labelling = read(event(created_at="2026-05-03T12:09:37+09:00"))
    assert read(ahead, tolerance=600) == at_the_labelling._replace(believed=False, parts=ahead)
    assert read(ahead, tolerance=601).believed


def test_keywords_are_counted_once_each_and_bounded():
    found = read(event(keywords=["산불", "등산", "산불", ""], matched_keywords=["등산", "숲길"]))
    assert found.signature.keywords == ("산불", "등산", "숲길")
    assert read(event(keywords="산불")).signature.keywords == ("산불",)
    assert len(read(event(keywords=[str(n) for n in range(1000)])).signature.keywords) == 32


def test_missing_values_are_not_offered():
    found = read(event(source=None, channel="", keywords=None, matched_keywords=None))
    assert found.signature == (2, "", "", (), "r1")


def test_sentences_of_a_split_post_are_counted():
    labels = ("negative", "neutral", "negative", None)
    sentiment = {"label": "negative", "sentences": [{"label": label} for label in labels]}
    assert read(event(sentiment=sentiment)).sentences == (2, 1, 0)


def test_a_value_with_half_a_surrogate_pair_is_read():
    raw = json.dumps(event(source="HERE")).replace("HERE", "\\ud800").encode()
    assert decode(raw, SEOUL, 600).signature.source == "\ufffd"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Skip.NO_VALUE),
        (b"", Skip.NOT_JSON),
        (b"\xff", Skip.NOT_JSON),
        (b"{", Skip.NOT_JSON),
        (b"[" * 100_000, Skip.NOT_JSON),
        (b"null", Skip.NOT_LABELLED),
        (b'"text"', Skip.NOT_LABELLED),
        (b"[]", Skip.NOT_LABELLED),
        (b"{}", Skip.NOT_LABELLED),
    ],
)
def test_a_foreign_record_is_told_apart(value, reason):
    with pytest.raises(NotAnEvent) as told:
        decode(value, SEOUL, 600)
    assert told.value.reason == reason


@pytest.mark.parametrize(
    "changes",
    [
        {"sentiment": None},
        {"sentiment": {"label": "angry"}},
        {"sentiment": {"label": ["positive"]}},
        {"sentiment": {"label": "positive", "sentences": [{"label": "angry"}]}},
        {"sentiment": {"label": "positive", "sentences": 3}},
        {"labelled_at": "2026-05-03T03:09:37"},
        {"labelled_at": 17},
        {"created_at": "yesterday"},
        {"created_at": 17},
        {"source": 5},
        {"keywords": [5]},
        {"keywords": {"a": 1}},
        {"model": None},
        {"model": {"revision": 5}},
        {"created_at": None, "origin": {"timestamp": "now"}},
        {"created_at": None, "origin": {"timestamp": float("inf")}},
    ],
)
def test_an_event_of_the_wrong_shape_is_told_apart(changes):
    with pytest.raises(NotAnEvent) as told:
        read(event(**changes))
    assert told.value.reason == Skip.NOT_LABELLED


def test_a_word_of_the_watch_list_that_the_post_brought_too_is_counted_once_as_the_list_spells_it():
    nfd = unicodedata.normalize("NFD", "산불")
    found = read(event(keywords=["ktx", f" {nfd} ", "숲"], matched_keywords=["산불", "KTX", "등산"]))
    assert found.signature.keywords == ("KTX", "산불", "숲", "등산")


def with_member(written):
    """The usual event with one more member, `extra`, as JSON that no serializer would write."""
    return json.dumps(event()).removesuffix("}").encode() + b', "extra": ' + written + b"}"


@pytest.mark.parametrize(
    "written",
    [
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"1" + b"0" * 400,
        b'"\\ud800"',
        b'{"\\udfff": 1}',
    ],
)
def test_what_the_fast_parser_refuses_and_json_reads_is_counted_alike(written):
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(with_member(written))
    found = decode(with_member(written), SEOUL, 600)
    assert found._replace(parts={}) == read(event())._replace(parts={})
    # NaN equals nothing, but is written alike.
    assert repr(found.parts["extra"]) == repr(json.loads(written))


@pytest.mark.parametrize("written", [b"123456789012345678901234567890", b"[" * 500 + b"]" * 500])
def test_what_both_parsers_read_in_their_own_way_is_counted_alike(written):
    found = decode(with_member(written), SEOUL, 600)
    assert found._replace(parts={}) == read(event())._replace(parts={})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(with_member(b"[" * 3000 + b"]" * 3000), id="too deep"),
        pytest.param(with_member(b"1" * 5000), id="more digits than json reads"),
        pytest.param(b"\xef\xbb\xbf" + with_member(b"1"), id="a byte order mark"),
        pytest.param(with_member(b'"\xed\xa0\x80"'), id="half a surrogate pair that is not escaped"),
    ],
)
def test_what_neither_parser_reads_is_no_json(value):
    with pytest.raises(NotAnEvent) as told:
        decode(value, SEOUL, 600)
    assert told.value.reason == Skip.NOT_JSON


@pytest.mark.parametrize("extra", [b"1", b"NaN"], ids=["fast parser", "json"])
def test_of_a_member_that_stands_twice_the_last_one_counts(extra):
    twice = with_member(extra).removesuffix(b"}") + b', "source": "naver_blog"}'
    assert decode(twice, SEOUL, 600).signature.source == "naver_blog"


def of_bytes(size, **changes):
    """An event that is just so large as JSON, by its text."""
    empty = json.dumps(event(text="", **changes)).encode()
    return json.dumps(event(text="a" * (size - len(empty)), **changes)).encode()


@pytest.mark.parametrize(("size", "is_remembered"), [(4096, True), (4097, False)])
@pytest.mark.parametrize(
    "changes",
    [
        {"source": "new source"},
        {"source": None, "channel": "", "keywords": None, "matched_keywords": None},
        {"keywords": ["ktx", "산불", "ktx"], "matched_keywords": ["KTX", "등산"]},
        {"keywords": "산불"},
        {"keywords": {}},
    ],
)
def test_an_event_has_the_same_signature_on_both_sides_of_the_limit_of_what_is_remembered(
    size, is_remembered, changes
):
    remembered = event_module._remembered_signature
    remembered.cache_clear()
    value = of_bytes(size, **changes)
    assert len(value) == size
    first, again = decode(value, SEOUL, 600), decode(value, SEOUL, 600)
    assert remembered.cache_info().hits == is_remembered
    remembered.cache_clear()
    assert first == again == decode(value, SEOUL, 600)
    assert first.signature == read(event(**changes)).signature


@pytest.mark.parametrize("size", [4096, 4097])
@pytest.mark.parametrize(
    "changes", [{"source": 5}, {"source": ["a"]}, {"keywords": [["a"]]}, {"keywords": {"a": 1}}]
)
def test_a_wrong_shape_is_told_apart_on_both_sides_of_the_limit_each_time(size, changes):
    for _ in range(2):
        with pytest.raises(NotAnEvent) as told:
            decode(of_bytes(size, **changes), SEOUL, 600)
        assert told.value.reason == Skip.NOT_LABELLED


@pytest.mark.parametrize("size", [4096, 4097])
def test_equal_numbers_of_another_kind_are_no_values(size):
    """1, 1.0 and true are one key to whatever remembers."""
    decode(of_bytes(size, source="1", keywords=["1"]), SEOUL, 600)
    for value in (1, 1.0, True):
        for changes in ({"source": value}, {"keywords": [value]}):
            with pytest.raises(NotAnEvent):
                decode(of_bytes(size, **changes), SEOUL, 600)
