"""Files of every format, told by what is in them."""

import datetime as dt
import gzip
import io
import json
import lzma
import os
import threading
import tracemalloc
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from nifos_stream.errors import UserError
from nifos_stream.files import Columns, Format, Reject, Table, posts

SEOUL = ZoneInfo("Asia/Seoul")
CSV = '번호,본문,작성일\n1,"산불, 무섭다",2020.06.01.\n2,등산 좋다,2020. 6. 2.\n'
TEXTS = ["산불, 무섭다", "등산 좋다"]


def written(folder: Path, content: str | bytes, name: str = "file.dat", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def texts_of(path: Path | str, **options) -> list[str]:
    columns = Columns()
    with Table(path, columns, **options) as table:
        found = list(posts(table, columns, SEOUL, typed=table.typed))
    assert not [row for row in found if isinstance(row, Reject)]
    return [row.members["text"] for row in found]


def workbook(path: Path, rows, other_sheet=None) -> Path:
    book = openpyxl.Workbook()
    if other_sheet is not None:
        for row in other_sheet:
            book.active.append(row)
        book.create_sheet("글")
    for row in rows:
        book.worksheets[-1].append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_table_is_read_in_any_encoding_and_dialect(tmp_path, encoding, delimiter, line_end):
    content = f'번호{delimiter}본문\n1{delimiter}"산불, 무섭다"\n2{delimiter}등산 좋다\n'
    path = written(tmp_path, content.replace("\n", line_end), encoding=encoding)
    assert texts_of(path) == TEXTS


@pytest.mark.parametrize("name", ["posts.xlsx", "posts.json", "posts.txt", "posts", "posts.gz"])
def test_the_ending_of_a_name_decides_nothing(tmp_path, name):
    assert texts_of(written(tmp_path, CSV, name)) == TEXTS


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
def test_a_compressed_file_is_read_as_what_is_in_it(tmp_path, compress):
    assert texts_of(written(tmp_path, compress(CSV.encode("cp949")))) == TEXTS


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (CSV, Format.CSV),
        (CSV.replace('"', "").replace(", ", " ").replace(",", "\t"), Format.TSV),
        ('{"text":"산불"}\n{"text":"등산"}', Format.JSONL),
        ('{broken\n{"text":"등산"}', Format.JSONL),
        ('{"text": "잘린', Format.JSONL),
        ('\n [\n {"text":"산불"}]', Format.JSON),
        ("[]", Format.JSON),
        ("산불이 났다, 무섭다\n등산, 좋았다", Format.TEXT),
        ("[속보] 산불이 났다\n{웃음} 등산", Format.TEXT),
        ("본문\n산불, 무섭다\n", Format.CSV),
        ("", Format.TEXT),
        ("   \n", Format.TEXT),
    ],
)
def test_the_content_decides_what_a_file_is(tmp_path, content, format_):
    with Table(written(tmp_path, content)) as table:
        assert table.format == format_


def test_standard_input_is_read_like_a_file():
    assert texts_of("-", stdin=io.BytesIO(gzip.compress(CSV.encode()))) == TEXTS


def test_a_slow_pipe_is_read_as_it_comes():
    """What is written is read at once, not when a buffer is full."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stdin, os.fdopen(writer, "wb", buffering=0) as crawler:
        crawler.write('{"text":"하나"}\n{"text":"둘"}\n'.encode())
        with Table("-", stdin=stdin) as table:
            rows = iter(table)
            assert [next(rows).values["text"], next(rows).values["text"]] == ["하나", "둘"]
            threading.Timer(0.05, lambda: crawler.write('{"text":"셋"}\n'.encode())).start()
            assert next(rows).values["text"] == "셋"


def test_a_workbook_is_read_with_its_dates(tmp_path):
    rows = [
        ["번호", "본문", "작성일", "조회"],
        [1, "산불, 무섭다", dt.datetime(2020, 6, 1, 15, 5), 3.0],  # noqa: DTZ001 - as in a sheet
        [None, None, None, None],
        [2, "등산 좋다", dt.date(2020, 6, 2), dt.date(2020, 6, 3)],
    ]
    columns = Columns()
    with Table(workbook(tmp_path / "posts.csv", rows), columns) as table:
        first, second = posts(table, columns, SEOUL, typed=table.typed)
        assert (table.format, table.unit, table.note) == (Format.XLSX, "row", None)
    assert first.members["created_at"] == "2020-06-01T15:05:00+09:00"
    assert (first.line, first.members["id"], first.members["조회"]) == (2, "1", 3)
    assert second.members["created_at"] == "2020-06-02T00:00:00+09:00"
    assert second.line == 4
    json.dumps([first.members, second.members])


def test_of_several_sheets_the_one_with_the_posts_is_read_and_named(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["본문"], ["산불"]], other_sheet=[["설명"], ["없음"]])
    with Table(path) as table:
        assert [row.values["본문"] for row in table] == ["산불"]
        assert table.note == f"{path}: sheet '글' is read; the workbook has 2 sheets."


def test_a_workbook_is_read_from_a_pipe(tmp_path):
    data = workbook(tmp_path / "a.xlsx", [["본문"], ["산불"]]).read_bytes()
    assert texts_of("-", stdin=io.BytesIO(data)) == ["산불"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("번호,점수\n1,5\n2,3\n", "has no column for the text; its columns are 번호, 점수."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "it is a workbook of Excel 97"),
        (b"PK\x03\x04 no workbook", "it is a ZIP archive but no workbook that can be read"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "it is not text in UTF-8"),
        (gzip.compress(CSV.encode())[:40], "its compressed data is damaged or cut off"),
        ('{\n "posts": [\n', "it is JSON, but neither one object a line nor an array"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, content, sentence):
    with pytest.raises(UserError, match=sentence):
        Table(written(tmp_path, content))


def test_a_workbook_without_a_column_for_the_text_says_what_it_has(tmp_path):
    with pytest.raises(UserError, match="has no column for the text; its columns are 번호, 점수"):
        Table(workbook(tmp_path / "a.xlsx", [["번호", "점수"], [1, 2]]))


def test_a_path_that_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv cannot be read: there is no such file\."):
        Table(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read: it is a directory"):
        Table(tmp_path)


def test_a_column_that_was_named_must_be_there(tmp_path):
    with pytest.raises(UserError, match="has no column 리뷰; its columns are 번호, 본문, 작성일"):
        Table(written(tmp_path, CSV), Columns({"text": "리뷰"}))


def test_a_column_can_be_named(tmp_path):
    columns = Columns({"text": "반응"})
    with Table(written(tmp_path, "번호,반응\n1,산불\n"), columns) as table:
        (found,) = posts(table, columns, SEOUL, typed=table.typed)
    assert found.members["text"] == "산불"


def test_what_a_person_says_a_file_is_wins(tmp_path):
    assert texts_of(written(tmp_path, "번호,점수\n1,5\n"), format=Format.TEXT) == ["번호,점수", "1,5"]


def test_a_file_that_is_cut_off_gives_what_it_has_and_says_where_it_ends(tmp_path):
    lines = "".join(f'{{"text":"{number * 7919 % 10007} 산불"}}\n' for number in range(20_000))
    whole = gzip.compress(lines.encode())
    *rows, last = Table(written(tmp_path, whole[: len(whole) // 2]))
    assert len(rows) > 1000
    assert last.line == rows[-1].line + 1
    assert last.reason.startswith("the file cannot be read beyond this place: its compressed data is damaged")


def test_broken_bytes_cost_their_own_line_only(tmp_path):
    path = written(tmp_path, "산불이 났다\n".encode() * 50 + b"\xff\xfe\n" + "등산\n".encode())
    rows = list(Table(path))
    assert [row.line for row in rows if isinstance(row, Reject)] == [51]
    assert rows[-1].values == {"text": "등산"}


def test_how_far_a_file_was_read_is_known(tmp_path):
    path = written(tmp_path, CSV * 10_000)
    with Table(path) as table:
        list(table)
        assert table.taken_bytes == table.total_bytes == path.stat().st_size


def test_a_large_file_needs_little_memory(tmp_path):
    path = written(tmp_path, lzma.compress((f'{{"text":"{"산불 " * 200}"}}\n' * 20_000).encode(), preset=0))
    tracemalloc.start()
    try:
        assert sum(1 for _ in Table(path)) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
