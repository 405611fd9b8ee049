"""Counts as rows: one for each step and group, as CSV, JSON, XLSX or Parquet."""

import csv
import datetime as dt
import gzip
import io
import json
import sys
from contextlib import nullcontext
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from pyarrow import parquet

from nifos_stream.commands import export_counts
from nifos_stream.commands.counts import Question
from nifos_stream.commands.export_counts import Format, columns, export, rows
from nifos_stream.counters.shapes import Count, Step, Total, Window
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings

SEOUL = ZoneInfo("Asia/Seoul")
FORMULA = '=HYPERLINK("http://x.example")'


def moment(hour):
    return dt.datetime(2026, 5, 1, hour, tzinfo=SEOUL)


class FakeCounts:
    """Two hours; in the second nothing was counted. Window and total are the first."""

    def __init__(self):
        self.asked = {}

    def steps(self, **asked):
        self.asked = asked
        groups = {"twitter": Count(3, 0, 1), FORMULA: Count(0, 2, 0)} if asked["by"] else {}
        full = Step(moment(9), moment(10), Count(3, 2, 2), groups, Count(0, 0, 1))
        return (full, Step(moment(10), moment(11), Count(), {}, Count()))

    def window(self, **asked):
        first, _ = self.steps(**asked)
        made = dict.fromkeys(("sentences", "series", "freshness"))
        whose = {"by": asked["by"], "groups": first.groups, "other": first.other}
        return Window(first.start, first.end, "1h", "1h", first.total, **whose, **made)

    def total(self, by, *, where):  # noqa: ARG002 - the signature of Counts
        first, _ = self.steps(by=by)
        return Total(first.total, None, by, first.groups, first.other, None)


@pytest.fixture
def counts(monkeypatch):
    fake = FakeCounts()
    monkeypatch.setattr(export_counts, "open_counts", lambda _: nullcontext(fake))
    return fake


def written(question, rows_as=None, out="-", rows=None):
    """What went to standard output. rows: how many there must be."""
    stdout = io.StringIO()
    count = export(Settings(), question, rows_as, str(out), stdout)
    assert rows in (None, count)
    return stdout.getvalue()


BY_SOURCE = Question(by="source", grain="1h")


def test_csv_has_a_line_for_each_step_and_group(counts):
    assert written(BY_SOURCE, rows=3) == (
        "start,end,source,negative,neutral,positive,total,net_sentiment\n"
        "2026-05-01T09:00:00+09:00,2026-05-01T10:00:00+09:00,twitter,3,0,1,4,-0.5\n"
        '2026-05-01T09:00:00+09:00,2026-05-01T10:00:00+09:00,"=HYPERLINK(""http://x.example"")",0,2,0,2,0\n'
        "2026-05-01T09:00:00+09:00,2026-05-01T10:00:00+09:00,,0,0,1,1,1\n"
    )
    assert counts.asked["grain"] == "1h"


def test_without_groups_every_step_is_a_row(counts):  # noqa: ARG001 - they are read
    table = list(csv.DictReader(io.StringIO(written(Question(grain="1h"), Format.CSV))))
    assert [row["total"] for row in table] == ["7", "0"]
    assert table[1]["net_sentiment"] == ""


def test_of_all_time_every_group_is_a_row_without_a_time(counts, tmp_path):  # noqa: ARG001 - they are read
    asked = Question(by="source", total=True)
    assert written(asked, rows=3) == (
        "source,negative,neutral,positive,total,net_sentiment\n"
        "twitter,3,0,1,4,-0.5\n"
        '"=HYPERLINK(""http://x.example"")",0,2,0,2,0\n'
        ",0,0,1,1,1\n"
    )
    written(asked, out=tmp_path / "total.parquet", rows=3)
    assert parquet.read_table(tmp_path / "total.parquet").column_names == list(columns(asked))
    written(Question(total=True), out=tmp_path / "total.xlsx", rows=1)


def test_without_steps_every_group_of_the_window_is_a_row(counts):
    table = list(csv.DictReader(io.StringIO(written(Question(by="source", grain="none"), rows=3))))
    assert {(row["start"], row["end"]) for row in table} == {
        ("2026-05-01T09:00:00+09:00", "2026-05-01T10:00:00+09:00")
    }
    assert counts.asked["grain"] is None


def test_json_is_one_array(counts):  # noqa: ARG001 - they are read
    found = json.loads(written(BY_SOURCE, Format.JSON))
    assert [row["source"] for row in found] == ["twitter", FORMULA, None]
    assert found[0] == {
        "start": "2026-05-01T09:00:00+09:00",
        "end": "2026-05-01T10:00:00+09:00",
        "source": "twitter",
        "negative": 3,
        "neutral": 0,
        "positive": 1,
        "total": 4,
        "net_sentiment": -0.5,
    }


def test_what_was_filtered_by_is_a_column_and_the_rest_is_no_row(counts):
    question = Question(by="source", where=("keyword=산불",))
    assert columns(question)[:4] == ("start", "end", "keyword", "source")
    assert [(row["keyword"], row["source"]) for row in rows(counts.steps(by="source"), question)] == [
        ("산불", "twitter"),
        ("산불", FORMULA),
    ]


@pytest.mark.parametrize("by", [None, "source"])
def test_parquet_holds_numbers_and_moments(counts, tmp_path, by):
    out = tmp_path / "counts.parquet"
    assert written(Question(by=by), out=out) == ""
    table = parquet.read_table(out)
    assert table.column_names == list(columns(Question(by=by)))
    expected = list(rows(counts.steps(by=by), Question(by=by)))
    assert [{**row, "start": row["start"].astimezone(SEOUL)} for row in table.to_pylist()] == expected


def test_parquet_without_rows_has_its_columns(counts, tmp_path):
    counts.steps = lambda **_: ()
    written(BY_SOURCE, Format.PARQUET, tmp_path / "counts")
    assert parquet.read_table(tmp_path / "counts").column_names == list(columns(BY_SOURCE))


def test_in_a_sheet_times_are_dates(counts, tmp_path):  # noqa: ARG001 - they are read
    written(BY_SOURCE, out=tmp_path / "counts.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "counts.xlsx").active
    assert (sheet["A2"].value, sheet["B2"].value) == (dt.datetime(2026, 5, 1, 9), dt.datetime(2026, 5, 1, 10))  # noqa: DTZ001 - a sheet has no zone
    assert all(sheet[cell].is_date and sheet.column_dimensions[cell[0]].width >= 19 for cell in ("A2", "B2"))


def test_in_a_sheet_what_people_wrote_is_no_formula(counts, tmp_path):  # noqa: ARG001 - they are read
    written(BY_SOURCE, out=tmp_path / "counts.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "counts.xlsx").active["C3"]
    assert (cell.value, cell.data_type) == (FORMULA, "s")


@pytest.mark.parametrize("rows_as", [None, Format.CSV])
def test_a_compressed_file_is_compressed_whoever_says_its_format(counts, tmp_path, rows_as):  # noqa: ARG001
    written(BY_SOURCE, rows_as, tmp_path / "counts.csv.gz")
    with gzip.open(tmp_path / "counts.csv.gz", "rt", encoding="utf-8") as file:
        assert file.read() == written(BY_SOURCE, Format.CSV)


@pytest.mark.parametrize(
    ("question", "rows_as", "out", "sentence"),
    [
        (Question(total=True, grain="1h"), None, "-", "--total is of all time; it takes no window"),
        (Question(start="yesterday"), None, "-", "is not a date or time"),
        (BY_SOURCE, Format.PARQUET, "-", "give --out FILE"),
        (BY_SOURCE, None, "counts.pdf", r"its name must end in .*\.xlsx, \.parquet"),
        (BY_SOURCE, Format.CSV, "counts.xlsx", "ends in .xlsx, but what is to be written is csv"),
        (BY_SOURCE, Format.PARQUET, "counts.csv.gz", "ends in .csv, but what is to be written is parquet"),
        (Question(window="1h", start="2026-05-01"), None, "-", "not both --window and --from"),
        (BY_SOURCE, Format.CSV, "/no/such/place.csv", "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(counts, question, rows_as, out, sentence):  # noqa: ARG001
    with pytest.raises(UserError, match=sentence):
        written(question, rows_as, out)


def test_without_pyarrow_parquet_says_what_to_install(counts, tmp_path, monkeypatch):  # noqa: ARG001
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"pip install 'nifos-stream\[parquet\]'"):
        written(BY_SOURCE, out=tmp_path / "counts.parquet")
    assert not list(tmp_path.iterdir())
