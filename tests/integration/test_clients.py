"""Clients that know nothing of us: kcat brings posts and reads events, redis-cli reads the counts."""

import json
import shutil
import subprocess
from collections import Counter

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from nifos_stream.commands.schema import json_schema
from tests.integration.workers import WorkerProcess
from tests.models import make_model_dir

POSTS = 300


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def produce(settings, lines: list[str], *headers: str) -> None:
    """Lines `key<tab>value`, as kcat reads them."""
    command = [
        tool("kcat"),
        "-P",
        "-b",
        settings.kafka.bootstrap_servers,
        "-t",
        settings.topics.posts,
        "-K",
        "\t",
    ]
    for header in headers:
        command += ["-H", header]
    subprocess.run(command, input="\n".join(lines), text=True, encoding="utf-8", check=True, timeout=60)


def consume(settings, topic: str) -> list[dict]:
    """Every committed record; kcat's JSON envelope."""
    command = [
        tool("kcat"),
        "-C",
        "-b",
        settings.kafka.bootstrap_servers,
        "-t",
        topic,
        "-o",
        "beginning",
        "-e",
        "-q",
    ]
    command += ["-J", "-X", "isolation.level=read_committed"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def redis_cli(settings, *words: str) -> list[str]:
    command = [tool("redis-cli"), "-u", settings.redis.url.get_secret_value(), "--raw", *words]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True, timeout=60)
    return done.stdout.splitlines()


def counts_of_all_time(settings) -> Counter:
    """Posts by label, added up over the partitions' hashes of all time."""
    found: Counter = Counter()
    for key in redis_cli(settings, "--scan", "--pattern", f"{{{settings.counters.prefix}:*}}:*:total"):
        fields = redis_cli(settings, "HGETALL", key)
        for field, count in zip(fields[::2], fields[1::2], strict=True):
            if field.startswith("all:"):
                found[field.removeprefix("all:")] += int(count)
    return found


@pytest.mark.timeout(300)
def test_posts_by_kcat_are_labelled_events_for_kcat_and_counts_for_redis_cli(make_settings, tmp_path):
    tool("redis-cli")
    settings = make_settings(partitions=3)
    posts = [{"id": f"p{n}", "text": f"숲길 정말 좋아요 {n}", "source": "twitter"} for n in range(POSTS)]
    lines = [f"{post['id']}\t{json.dumps(post, ensure_ascii=False)}" for post in posts]
    produce(settings, [*lines, "bad\tno JSON"], "traceparent=00-abc-def-01")
    worker = WorkerProcess(settings, make_model_dir(tmp_path / "model"), extra=("--until-idle", "2"))
    assert worker.wait(240) == 0, worker.tail()

    records = consume(settings, settings.topics.sentiment)
    events = {record["key"]: json.loads(record["payload"]) for record in records}
    assert len(records) == len(events) == POSTS
    validator = Draft202012Validator(json_schema("labelled-post"), format_checker=FormatChecker())
    for post in posts:
        event = events[post["id"]]
        validator.validate(event)
        assert {name: event[name] for name in post} == post
    assert all(record["headers"] == ["traceparent", "00-abc-def-01"] for record in records)

    (letter,) = consume(settings, settings.topics.dead_letters)
    assert (letter["key"], letter["payload"]) == ("bad", "no JSON")
    headers = dict(zip(letter["headers"][::2], letter["headers"][1::2], strict=True))
    assert headers["nifos.reason"] == "not_json"

    assert counts_of_all_time(settings) == Counter(event["sentiment"]["label"] for event in events.values())
