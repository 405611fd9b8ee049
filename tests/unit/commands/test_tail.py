"""Labelled posts as lines, without Kafka."""

import datetime as dt
import io
import json
import unicodedata
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console

from nifos_stream.commands.labelled import Event
from nifos_stream.commands.tail import _accepts, _Bytes, line, parse, tail
from nifos_stream.counters.wanted import Filter, read_label
from nifos_stream.errors import UserError
from nifos_stream.messages import Label
from nifos_stream.settings import Settings

SEOUL = ZoneInfo("Asia/Seoul")
NOW = dt.datetime(2026, 5, 1, 9, 30, tzinfo=SEOUL)


def value(label="negative", labelled_at="2026-05-01T00:05:01Z", **members):
    post = {"id": "1", "text": "산불이 났다", "created_at": "2026-05-01T00:05:00Z", **members}
    numbers = {"negative": 0.05, "neutral": 0.05, "positive": 0.05, label: 0.9}
    sentiment = {"label": label, "label_ko": "부정", "score": 0.9, "probabilities": numbers}
    ours = {
        "sentiment": sentiment,
        "model": {"name": "m", "revision": "r"},
        "labelled_at": labelled_at,
        "origin": {"topic": "t", "partition": 0, "offset": 0, "timestamp": 0},
        "matched_keywords": members.pop("matched_keywords", []),
        "truncated": False,
    }
    return json.dumps({**post, **ours}, ensure_ascii=False).encode()


def event(**members):
    return Event(0, 0, 1_777_593_600_000, value(**members))


def shown(cells=80, **members):
    given = event(**members)
    return line(parse(given.value, SEOUL), given, NOW, cells)


def test_a_post_is_a_line_with_time_label_score_source_and_text():
    assert shown(source="twitter").plain == "05-01 09:05 − 부정 0.90 twitter      산불이 났다"
    assert (
        shown(label="positive", title="제목").plain
        == "05-01 09:05 + 긍정 0.90 –            제목 · 산불이 났다"
    )


@pytest.mark.parametrize(
    ("written", "shown_as"),
    [
        ("9999-12-31T23:59:59-12:00", "9999-12-31"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01"),
        ("9999-12-31T23:00:00Z", "9999-12-31"),
    ],
)
def test_a_post_of_the_first_or_last_day_that_there_is_ends_nothing(written, shown_as):
    assert shown(created_at=written).plain.startswith(shown_as)


@pytest.mark.parametrize("cells", [30, 59, 60, 80, 200])
def test_a_line_is_never_wider_than_the_terminal(cells):
    given = shown(cells, text="가나다라마바사아자차카타파하" * 20, source="네이버블로그카페")
    assert cells - 1 <= cell_len(given.plain) <= cells
    assert given.plain.endswith("…")


def test_without_a_terminal_the_text_stays_whole():
    assert shown(None, text="가" * 500).plain.endswith("가" * 500)


def test_a_narrow_terminal_shows_the_hour_alone():
    assert shown(40, source="twitter").plain == "09:05 − 부정 0.90 산불이 났다"


def test_another_year_is_said():
    assert shown(created_at="2021-06-01T00:00:00+09:00").plain.startswith("2021-06-01 ")


def test_a_post_without_date_has_that_of_its_record():
    given = Event(0, 0, int(NOW.timestamp() * 1000), value(created_at=None))
    assert line(parse(given.value, SEOUL), given, NOW, 80).plain.startswith("05-01 09:30")


def test_a_text_steers_neither_the_terminal_nor_the_colours():
    text = "a\x1b[31mb\x1b]0;x\x07\r\nc\u202ed\x9b1m [bold red]e[/] :fire:"
    given = shown(text=text, source="\x1b[2J[link=x]")
    assert not any(unicodedata.category(character) in ("Cc", "Cf") for character in given.plain)
    assert given.plain.endswith("a[31mb]0;x  cd1m [bold red]e[/] :fire:")


def test_decomposed_hangul_is_composed_so_that_its_width_is_known():
    assert shown(text=unicodedata.normalize("NFD", "산불")).plain.endswith(" 산불")


@pytest.mark.parametrize(
    ("wanted", "accepted"),
    [
        (Filter.of(), True),
        (Filter.of(labels=["부정"]), True),
        (Filter.of(labels=["negative", "긍정"]), True),
        (Filter.of(labels=["Positive"]), False),
        (Filter.of(sources=["twitter"]), True),
        (Filter.of(sources=["naver_blog", "twitter"], channels=["blog"]), False),
        (Filter.of(channels=["sns"]), True),
        (Filter.of(keywords=["산불"]), True),
        (Filter.of(keywords=["등산"]), True),
        (Filter.of(keywords=["불"]), False),
        (Filter.of(text="CAMP"), True),
        (Filter.of(text="제목"), True),
        (Filter.of(text=unicodedata.normalize("NFD", "산불")), True),
        (Filter.of(text="바다"), False),
    ],
)
def test_filters_choose_posts(wanted, accepted):
    post = parse(
        value(
            source="twitter",
            channel="sns",
            title="제목",
            text="산불 Camp",
            keywords=["산불"],
            matched_keywords=["등산"],
        ),
        SEOUL,
    )
    assert _accepts(wanted, post) is accepted


def test_no_filter_is_known_as_such():
    assert not Filter.of()
    assert Filter.of(text="산불")


def test_labels_have_english_and_korean_names():
    assert [read_label(name) for name in ("부정", "NEUTRAL ", "긍정")] == list(Label)
    with pytest.raises(
        UserError, match="A label is one of negative, neutral, positive, 부정, 중립, 긍정, not"
    ):
        read_label("나쁨")


def test_what_is_no_labelled_post_is_none():
    assert parse(b"{}", SEOUL) is None
    assert parse(b"\xff", SEOUL) is None


def test_json_is_the_bytes_of_the_event_on_one_line():
    out = io.BytesIO()
    _Bytes(out).show(Event(0, 0, 0, b'{"a":\r\n 1.50}'))
    assert out.getvalue() == b'{"a":   1.50}\n'


class EmptyTopic:
    """A labelled topic without a post."""

    def __init__(self, _settings):
        self.starts = self.ends = {0: 0}

    def last(self, _count, _accepts):
        return [], True

    def close(self):
        pass


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Filter.of(), "There is no labelled post yet.\n"),
        (Filter.of(sources=["twitter"]), "No labelled post is like this.\n"),
    ],
)
def test_where_there_is_nothing_it_is_said(monkeypatch, wanted, said):
    monkeypatch.setattr("nifos_stream.commands.tail.LabelledTopic", EmptyTopic)
    console, err = Console(file=io.StringIO()), Console(file=io.StringIO())
    tail(Settings(), wanted, follow=False, console=console, err=err)
    assert (console.file.getvalue(), err.file.getvalue()) == ("", said)
