import json

import pytest

from nifos_stream.bench.plan import Measured, kept_buckets, measured, parse_rate, plan, read_lines, run_plan
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings

PIPELINE = {
    "bench": "pipeline",
    "posts_per_s": 70.0,
    "device": "cpu",
    "dtype": "int8",
    "shape": "koelectra-base",
}
FORWARD = {
    "bench": "forward",
    "texts_per_s": 100.0,
    "device": "cpu",
    "dtype": "int8",
    "shape": "koelectra-base",
}
COUNTERS = {"bench": "counters", "events_per_s": 20_000.0, "bucket_bytes": 1000}


@pytest.mark.parametrize(
    ("text", "rate"),
    [("50000/s", 50_000), ("50,000 / s", 50_000), ("120/m", 2), ("90", 90), ("864000/d", 10), ("0.5/s", 0.5)],
)
def test_a_rate_is_posts_a_second(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "5/y", "0/s", "-3/s"])
def test_what_is_no_rate_is_said(text):
    with pytest.raises(UserError, match="is no rate"):
        parse_rate(text)


def test_workers_take_seven_tenths_of_what_was_measured():
    figures = Measured(100.0, "cpu", "int8", "koelectra-base", "pipeline", 20_000.0, 1000.0, 500.0)
    wanted = plan(700.0, figures, Settings())
    assert (wanted.workers, wanted.counting_workers, wanted.gpus) == (10, 1, 0)
    assert plan(701.0, figures, Settings()).workers == 11
    assert wanted.partitions == 20
    assert wanted.redis_bytes == 20 * (wanted.buckets * 1000 + 500)


def test_a_worker_measured_with_a_gpu_needs_one():
    figures = Measured(5000.0, "cuda:0", "bf16", "koelectra-base", "pipeline", 20_000.0, 1000.0, 500.0)
    wanted = plan(50_000.0, figures, Settings())
    assert (wanted.workers, wanted.gpus, wanted.counting_workers) == (15, 15, 4)


def test_one_worker_keeps_the_partitions_of_the_settings():
    figures = Measured(100.0, "cpu", "int8", "bundled", "pipeline", 20_000.0, 1000.0, 500.0)
    assert plan(1.0, figures, Settings(topics={"partitions": 9})).partitions == 9


def test_buckets_are_those_of_the_retention():
    settings = Settings(
        counters={"retention": {"ten_seconds_hours": 1, "minutes_hours": 2, "hours_days": 3, "days_days": 4}}
    )
    assert kept_buckets(settings) == {"10s": 360, "1m": 120, "1h": 72, "1d": 4}


def test_the_newest_lines_are_planned_with_and_the_whole_stream_before_the_forward_pass(tmp_path):
    file = tmp_path / "lines.txt"
    older = COUNTERS | {"events_per_s": 1.0}
    file.write_text("Pipeline: …\n" + "\n".join(map(json.dumps, [older, FORWARD, COUNTERS])) + "\n{broken\n")
    figures = measured(read_lines([file]))
    assert (figures.posts_per_s, figures.events_per_s) == (95.0, 20_000.0)
    assert measured([FORWARD, COUNTERS, PIPELINE]).posts_per_s == 70.0


@pytest.mark.parametrize(
    ("lines", "said"),
    [([COUNTERS], "bench pipeline"), ([PIPELINE], "bench counters")],
)
def test_a_missing_measurement_is_named(lines, said):
    with pytest.raises(UserError, match=said):
        measured(lines)


def test_a_file_without_lines_is_said(tmp_path):
    file = tmp_path / "empty.txt"
    file.write_text("nothing\n")
    with pytest.raises(UserError, match="No JSON line"):
        read_lines([file])
    with pytest.raises(UserError, match="cannot be read"):
        read_lines([tmp_path / "missing.txt"])


def test_the_report_shows_the_arithmetic():
    report = run_plan(Settings(), 50_000.0, [PIPELINE, COUNTERS])
    shown = {row[0]: row[1:] for row in report.rows}
    assert shown["workers that label"][0] == "1,021"
    assert "50,000.0 / (0.7 x 70.0 posts/s" in shown["workers that label"][1]
    assert report.facts["workers"] == 1021
    assert report.facts["redis_bytes"] > 0
