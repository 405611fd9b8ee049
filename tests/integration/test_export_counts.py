"""Rows of counts on counts that the view made from a real topic: what they say is what the reader says."""

import datetime as dt
import json

import pytest
from pyarrow import parquet

from nifos_stream.commands.counts import Question
from nifos_stream.commands.export_counts import Format, export
from nifos_stream.watch.snapshot import open_counts
from tests.integration.counted import Events, viewing

NUMBERS = ("negative", "neutral", "positive", "total")


@pytest.fixture(scope="module")
def days():
    """The last 40 days, as far as hours are kept, and a day more."""
    today = dt.date.today()  # noqa: DTZ011 - whichever day it is
    return (today - dt.timedelta(days=40)).isoformat(), (today + dt.timedelta(days=2)).isoformat()


def test_rows_equal_what_the_reader_says_of_each_step(make_settings, days, tmp_path):
    """By all grains, with and without groups and filters, and with values that had no place."""
    settings = make_settings(partitions=3, counters={"max_values": 4})
    Events(settings, (0, 1, 2)).produce(1500, transactions=3)
    start, end = days
    with viewing(settings) as view:
        view.wait_level()
        view.end()
    questions = [
        Question(start=start, end=end, grain="1d"),
        Question(start=start, end=end, grain="1d", by="source"),
        Question(start=start, end=end, grain="month", by="keyword"),
        Question(start=start, end=end, grain="1h", by="source", where=("keyword=산불",)),
        Question(window="1h", by="channel"),
    ]
    for number, question in enumerate(questions):
        out = tmp_path / f"{number}.json"
        export(settings, question, Format.JSON, str(out))
        found = json.loads(out.read_text(encoding="utf-8"))
        assert sum(row["total"] for row in found) > 0
        with open_counts(settings) as reader:
            _equal(reader, question, found)
        export(settings, question, Format.PARQUET, str(tmp_path / "rows.parquet"))
        table = parquet.read_table(tmp_path / "rows.parquet").to_pylist()
        if question.window is None:  # Ends at a fixed time, so that nothing has moved.
            assert [[row[name] for name in NUMBERS] for row in table] == [
                [row[name] for name in NUMBERS] for row in found
            ]


def _equal(reader, question, found):
    where = dict(pair.split("=") for pair in question.where)
    for begin, end in {(row["start"], row["end"]) for row in found}:
        # Of the same buckets: which values had a place of their own differs from bucket to bucket.
        window = reader.window(by=question.by, where=where, start=begin, end=end, grain=question.grain)
        said = {
            row.get(question.by): tuple(row[name] for name in NUMBERS)
            for row in found
            if row["start"] == begin
        }
        if question.by is None:
            expected = {None: window.total}
        else:
            rest = {None: window.other} if window.other.total and not where else {}
            expected = {value: count for value, count in window.groups.items() if count.total} | rest
        assert said == {
            value: (count.negative, count.neutral, count.positive, count.total)
            for value, count in expected.items()
        }
