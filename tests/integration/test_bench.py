"""Each measurement runs small on real Kafka and Redis, and ends in its line. No speed is judged."""

import json
import math

import pytest
from typer.testing import CliRunner

from nifos_stream.cli import app
from nifos_stream.local.stack import LocalStack
from tests.integration.kafka_tools import admin


@pytest.fixture(autouse=True)
def own_cache_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NIFOS_TOPICS__PARTITIONS", "3")


def bench(*arguments: str) -> dict:
    """Run `bench`; a table and then one line is what it prints."""
    done = CliRunner().invoke(app, ["bench", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    *table, line = done.stdout.splitlines()
    assert len(table) >= 3
    facts = json.loads(line)
    assert facts["bench"] == arguments[0]
    return facts


def on(stack: LocalStack) -> tuple[str, ...]:
    return ("--bootstrap-servers", stack.bootstrap_servers, "--redis", stack.redis_url)


def sane(*values: float) -> bool:
    return all(math.isfinite(value) and value > 0 for value in values)


def bench_topics(stack: LocalStack) -> set[str]:
    client = admin(stack.bootstrap_servers)
    return {topic for topic in client.list_topics(timeout=10).topics if topic.startswith("nifos-bench")}


def test_forward_compares_the_pass_with_its_products():
    facts = bench("forward", "--shape", "bundled", "--dtype", "fp32", "--count", 16, "--rounds", 1)
    assert (facts["dtype"], facts["texts"]) == ("fp32", 16)
    assert sane(facts["texts_per_s"], facts["limit_texts_per_s"], facts["ratio"], facts["gflop_per_text"])
    assert facts["ratio"] == pytest.approx(facts["texts_per_s"] / facts["limit_texts_per_s"], rel=0.01)
    assert {case["chunk_tokens"] for case in facts["cases"]} >= {128, 256, 512, 1024}
    products = [case["products_texts_per_s"] for case in facts["cases"] if case["dtype"] == "fp32"]
    assert facts["limit_texts_per_s"] == max(products)
    assert facts["too_short"]


def test_pipeline_drains_a_topic_and_says_what_repeats_are_worth(stack):
    facts = bench(
        "pipeline",
        "--shape",
        "null",
        "--dtype",
        "fp32",
        "--messages",
        300,
        "--rounds",
        2,
        "--repeats",
        0.5,
        *on(stack),
    )
    assert facts["messages"] == 300
    assert sane(facts["posts_per_s"], facts["forward_texts_per_s"], facts["ratio"], facts["repeats_ratio"])
    assert not bench_topics(stack), "they were deleted"


def test_overhead_starts_a_stack_of_its_own_and_is_held_against_a_copier():
    facts = bench("overhead", "--messages", 300, "--rounds", 1)
    assert sane(facts["posts_per_s"], facts["copier_posts_per_s"], facts["ratio"])


def test_counters_are_held_against_a_reader(stack):
    facts = bench("counters", "--messages", 3000, "--rounds", 1, *on(stack))
    assert sane(facts["events_per_s"], facts["reader_events_per_s"], facts["ratio"], facts["bucket_bytes"])
    # Three partitions, and in each a total, a day, an hour, a minute or two, ten seconds.
    assert 15 <= facts["buckets"] <= 30
    assert sane(facts["sample_bytes"], facts["latest_bytes"])


def test_latency_is_said_for_each_rate_and_half_the_sustainable(stack, monkeypatch):
    # So that enough batches come while posts are sent to tell a rate, on a busy machine, too.
    monkeypatch.setenv("NIFOS_STREAM__BATCH_POSTS", "200")
    facts = bench(
        "latency",
        "--shape",
        "null",
        "--dtype",
        "fp32",
        "--messages",
        10_000,
        "--rate",
        20,
        "--seconds",
        2,
        *on(stack),
    )
    first, half = facts["rates"]
    assert 0 < facts["sustainable_posts_per_s"] <= facts["drained_posts_per_s"]
    assert (first["rate"], first["posts"]) == (20, 40)
    assert half["rate"] == pytest.approx(facts["sustainable_posts_per_s"] / 2, rel=0.01)
    for one in (first, half):
        assert 0 < one["p50_ms"] <= one["p95_ms"] <= one["p99_ms"]
    assert facts["bound_ms"] == pytest.approx(3 * facts["forward_chunk_ms"] + 150, abs=0.2)
    assert [one["within_bound"] for one in facts["rates"]] == [
        one["p99_ms"] <= facts["bound_ms"] for one in (first, half)
    ]


def test_soak_watches_the_memory_of_a_worker(stack):
    facts = bench("soak", "--messages", 2000, "--dtype", "fp32", *on(stack))
    assert facts["messages"] == 2000
    assert 50 < facts["early_rss_mb"] < 5000
    assert 0.5 < facts["rss_ratio"] < 2


def test_plan_takes_what_was_measured(tmp_path):
    lines = tmp_path / "lines.txt"
    measured = [
        {"bench": "forward", "texts_per_s": 100.0, "device": "cpu", "dtype": "int8", "shape": "bundled"},
        {"bench": "counters", "events_per_s": 20_000.0, "bucket_bytes": 1000},
    ]
    lines.write_text("a table\n" + "\n".join(map(json.dumps, measured)))
    facts = bench("plan", "--rate", "665/s", "--from", lines)
    assert (facts["workers"], facts["counting_workers"], facts["gpus"]) == (10, 1, 0)
    assert (facts["partitions"], facts["posts_per_s"]) == (20, 95.0)
