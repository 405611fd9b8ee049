"""Tables of separated values, as well and as badly as people write them."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from nifos_stream.files.rows import Reject, Row
from nifos_stream.files.table_rows import NO_DELIMITER, Dialect, TableRows, dialect_of
from nifos_stream.files.text import MAX_ROW_CHARACTERS, Line


def lines_of(text: str) -> list[Line]:
    return [Line(number, line) for number, line in enumerate(text.split("\n"), 1)]


COMMAS = Dialect(",")


def rows_of(text: str, dialect: Dialect = COMMAS) -> list[Row | Reject]:
    return list(TableRows(lines_of(text), dialect))


def test_a_quoted_field_holds_commas_quotes_and_line_breaks():
    rows = rows_of('id,text\n1,"산불, ""크다""\n정말"\n2,끝')
    assert rows == [Row(2, {"id": "1", "text": '산불, "크다"\n정말'}), Row(4, {"id": "2", "text": "끝"})]


CELL = st.text(st.sampled_from("산불 ,;\t\"\n'a."), max_size=12)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=8), delimiter=st.sampled_from(",;\t"))
def test_whatever_a_spreadsheet_writes_is_read_again(rows, delimiter):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows([("id", "text", "x"), *rows])
    read = rows_of(file.getvalue(), Dialect(delimiter))
    expected = [dict(zip(("id", "text", "x"), row, strict=True)) for row in rows if "".join(row).strip()]
    assert [row.values for row in read] == expected


def test_a_mark_that_is_never_closed_swallows_no_line():
    rows = rows_of('id,text,n\n1,"열림,0\n2,둘,0\n3,"셋, 셋",0\n4,넷,0')
    assert [row.values["text"] for row in rows] == ['"열림', "둘", "셋, 셋", "넷"]


def test_a_mark_that_is_not_doubled_stays_in_its_text():
    assert rows_of('id,text\n1,"좋다"라고\n2,5" 파이프')[0].values["text"] == '"좋다"라고'


def test_what_cannot_be_read_is_rejected_with_its_line():
    rows = rows_of('id,text\n1,많은, 쉼표\n2,"열림, 둘\n3,셋')
    assert rows[0] == Reject(2, "has 3 columns, the header 2", ["1", "많은", " 쉼표"])
    assert rows[1] == Reject(3, "has a quotation mark that is not closed or not doubled", '2,"열림, 둘')
    assert rows[2] == Row(4, {"id": "3", "text": "셋"})


def test_a_short_row_lacks_its_last_columns_and_an_empty_line_is_none():
    assert rows_of("id,text,source\n\n1,산불\n,,\n") == [Row(3, {"id": "1", "text": "산불"})]


def test_empty_columns_beyond_the_header_are_no_reason_to_reject():
    assert rows_of("id,text\n1,산불,,\n") == [Row(2, {"id": "1", "text": "산불"})]


def test_a_file_of_one_column_keeps_its_commas():
    rows = rows_of('본문\n산불, 무섭다\n"한 줄,\n두 줄"\n', Dialect(NO_DELIMITER))
    assert [row.values["본문"] for row in rows] == ["산불, 무섭다", "한 줄,\n두 줄"]


def test_marks_within_fields_between_tabs_say_that_nothing_is_quoted():
    """NSMC's files are of this kind."""
    text = 'id\ttext\n1\t그는 "네" 라고\n2\t"최고"\n3\t"열림\n4\t끝'
    rows = rows_of(text, dialect_of(text, "\t"))
    assert [row.values["text"] for row in rows] == ['그는 "네" 라고', '"최고"', '"열림', "끝"]


def test_between_tabs_marks_that_enclose_nothing_special_are_text():
    """A spreadsheet would not have written them, so that a person did."""
    text = 'id\ttext\n1\t"최고"\n2\t"산불, 등산"\n3\t"그는 ""네"" 라고"\n4\t"두\n줄"\n5\t"열림\n6\t"a"b"'
    rows = rows_of(text, dialect_of(text, "\t"))
    assert [row.values["text"] for row in rows] == [
        '"최고"',
        "산불, 등산",
        '그는 "네" 라고',
        "두\n줄",
        '"열림',
        '"a"b"',
    ]


def test_between_tabs_a_header_in_marks_says_that_every_text_is():
    text = '"id"\t"text"\n1\t"최고"'
    assert rows_of(text, dialect_of(text, "\t"))[0].values == {"id": "1", "text": "최고"}


def test_spaces_behind_every_comma_of_the_header_belong_to_nobody():
    text = 'id, text\n1, "산불, 등산"'
    assert rows_of(text, dialect_of(text, ","))[0].values == {"id": "1", "text": "산불, 등산"}


def test_a_very_large_field_is_read_and_a_larger_one_rejected():
    large = "산" * 1_000_000
    assert rows_of(f"id,text\n1,{large}\n")[0].values["text"] == large
    cut = Line(2, "1,산", cut=True)
    rows = list(TableRows([Line(1, "id,text"), cut, Line(3, "2,불")], Dialect(",")))
    assert rows[0].reason == f"is longer than {MAX_ROW_CHARACTERS:,} characters"
    assert rows[1] == Row(3, {"id": "2", "text": "불"})


def test_an_open_mark_in_front_of_a_large_file_costs_one_line():
    rows = rows_of('id,text\n1,"열림\n' + f"2,{'산불이 났다고 한다 ' * 20}\n" * 25_000)
    assert len(rows) == 25_001
    assert rows[0].values["text"] == '"열림'
