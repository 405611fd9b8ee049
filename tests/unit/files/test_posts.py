"""From rows to the members of posts."""

import unicodedata
from zoneinfo import ZoneInfo

import pytest

from nifos_stream.files.columns import Columns
from nifos_stream.files.posts import Found, made_id, posts
from nifos_stream.files.rows import Reject, Row

SEOUL = ZoneInfo("Asia/Seoul")


def members(values, *, typed=False, defaults=None, mapping=None):
    (found,) = posts([Row(1, values)], Columns(mapping), SEOUL, defaults, typed=typed)
    return found.members if isinstance(found, Found) else found


def test_a_row_of_a_table_becomes_a_post():
    assert members(
        {
            "ID": "7",
            "본문": " 산불이 났다 ",
            "작성일": "2020.06.01.",
            "키워드": "산불, 등산;산불",
            "평점": "4.5",
            "출처": " naver_blog ",
            "조회수": "12",
            "제목": "",
        }
    ) == {
        "id": "7",
        "text": " 산불이 났다 ",
        "created_at": "2020-06-01T00:00:00+09:00",
        "keywords": ["산불", "등산"],
        "rating": 4.5,
        "source": "naver_blog",
        "조회수": "12",
    }


def test_json_keeps_types_and_what_is_unknown():
    row = {
        "id": 7,
        "text": "산불",
        "created_at": 1590991500,
        "keywords": "산불;등산",
        "views": None,
        "rating": 3,
    }
    assert members(row, typed=True) == {
        "id": 7,
        "text": "산불",
        "created_at": "2020-06-01T06:05:00+00:00",
        "keywords": ["산불", "등산"],
        "views": None,
        "rating": 3,
    }


def test_a_text_that_a_sheet_took_for_a_number_is_a_text():
    assert members({"id": 12.0, "text": 100, "작성자": 3})["text"] == "100"
    assert members({"id": 12.0, "text": 100})["id"] == "12"


def test_the_same_post_gets_the_same_identifier():
    made = members({"text": "산불\r\n났다 ", "url": "https://a/1", "source": "twitter"})["id"]
    assert made == members({"링크": "https://a/1", "본문": "산불\n났다", "출처": "twitter", "id": " "})["id"]
    assert made == made_id("twitter", "https://a/1", unicodedata.normalize("NFD", "산불\n났다"))
    assert len(made) == 32


def test_another_source_url_or_text_gets_another_identifier():
    made = {made_id("a", "b", "c"), made_id("ab", "", "c"), made_id("a", "b", "d"), made_id(None, None, "c")}
    assert len(made) == 4
    assert made_id(None, "", "c") == made_id("", None, "c")


def test_a_field_that_a_row_lacks_is_taken_from_what_was_said():
    assert members({"text": "산불", "출처": ""}, defaults={"source": "twitter"})["source"] == "twitter"
    assert members({"text": "산불", "출처": "blog"}, defaults={"source": "twitter"})["source"] == "blog"


def test_a_column_whose_name_is_taken_keeps_its_value():
    row = members({"id": "1", "text": "짧은 글", "전문": "긴 글"}, mapping={"text": "전문"})
    assert row == {"id": "1", "text": "긴 글", "text_2": "짧은 글"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"text": " "}, "text is empty"),
        ({"a": "x", "b": "y"}, "has no text; it has a, b"),
        ({}, "has no text"),
        ({"text": "산불", "작성일": "어제"}, "created_at: '어제' is not a date"),
        ({"text": "산불", "평점": "별 다섯"}, "rating: '별 다섯' is not a number"),
    ],
)
def test_a_row_that_is_no_post_says_why(values, reason):
    assert members(values) == Reject(1, reason, values)


def test_rejected_rows_are_handed_on():
    reject = Reject(3, "is not JSON", "{")
    assert list(posts([reject], Columns(), SEOUL, typed=True)) == [reject]
