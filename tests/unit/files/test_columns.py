"""Which column is which field."""

import unicodedata

import pytest

from nifos_stream.errors import UserError
from nifos_stream.files.columns import Columns, Taken, parse_mapping, unique_names


def test_korean_and_english_headers_are_recognised():
    header = ["번호", "제목", "본문", "작성일", "작성자", "출처", "링크", "검색어", "채널", "평점"]
    assert Columns().resolve(header) == {
        "번호": "id",
        "제목": "title",
        "본문": "text",
        "작성일": "created_at",
        "작성자": "author",
        "출처": "source",
        "링크": "url",
        "검색어": "keywords",
        "채널": "channel",
        "평점": "rating",
    }


@pytest.mark.parametrize(
    "name",
    ["TEXT", " Text ", "본 문", unicodedata.normalize("NFD", "본문"), "Ｔｅｘｔ", "\ufeffcontent", "내용"],
)
def test_a_header_is_recognised_however_it_is_written(name):
    assert Columns().resolve([name]) == {name: "text"}


def test_of_two_columns_for_one_field_the_likelier_is_taken():
    assert Columns().resolve(["review", "content", "text", "created_at", "날짜"]) == {
        "text": "text",
        "created_at": "created_at",
    }


def test_what_is_said_wins_over_what_names_suggest():
    columns = Columns({"text": "리뷰 원문"})
    assert columns.resolve(["text", "리뷰원문", "제목"]) == {"리뷰원문": "text", "제목": "title"}
    assert columns.missing(["text", "제목"]) == ["리뷰 원문"]


def test_what_became_of_each_column_can_be_told():
    taken = Columns().taken(["지역", "작성일", "내용"])
    assert taken == Taken({"text": "내용", "created_at": "작성일"}, ("지역",))


def test_other_fields_than_those_of_posts_can_be_asked_for():
    columns = Columns(aliases={"sentence": ("sentence", "문장"), "sentiment": ("sentiment", "감성")})
    assert columns.resolve(["문장", "감성", "text"]) == {"문장": "sentence", "감성": "sentiment"}


def test_a_field_that_there_is_not_is_refused():
    with pytest.raises(UserError, match="There is no field txt; the fields are id, text"):
        Columns({"txt": "본문"})


def test_a_mapping_is_read_from_pairs():
    assert parse_mapping(["text=본문", "title = 글 제목"]) == {"text": "본문", "title": "글 제목"}


@pytest.mark.parametrize("pairs", [["본문"], ["=본문"], ["text="], ["text=a", "text=b"]])
def test_a_pair_that_says_nothing_is_refused(pairs):
    with pytest.raises(UserError, match="--column"):
        parse_mapping(pairs)


def test_names_of_columns_are_made_unique():
    assert unique_names(["키워드", "", "키워드 ", "키워드_2"]) == [
        "키워드",
        "column_2",
        "키워드_2",
        "키워드_2_2",
    ]
