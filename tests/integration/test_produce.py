"""`produce` on a real broker."""

import io
import json

import pytest
from rich.console import Console

from nifos_stream.commands.produce import Options, produce
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from tests.integration.kafka_tools import read_all


def sent(settings, *files, stdin=b"", **options):
    """The exit code, and what was said."""
    out = io.StringIO()
    consoles = {"out": Console(file=out, soft_wrap=True), "err": Console(file=io.StringIO())}
    code = produce(
        settings, [str(file) for file in files], Options(**options), stdin=io.BytesIO(stdin), **consoles
    )
    return code, out.getvalue()


def test_every_post_of_a_file_arrives_once_with_its_identifier_as_key(make_settings, tmp_path):
    settings = make_settings(partitions=3)
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(f'{{"id":"p{n}","text":"{n} 산불"}}\n' for n in range(20_000)), encoding="utf-8")
    code, said = sent(settings, path)
    assert (code, said) == (0, f"20,000 posts accepted, sent to {settings.topics.posts}; 0 rejected.\n")
    records = read_all(settings.kafka.bootstrap_servers, settings.topics.posts)
    assert sorted(record.key for record in records) == sorted(f"p{n}".encode() for n in range(20_000))
    assert all(json.loads(record.value)["id"].encode() == record.key for record in records)
    assert {record.partition for record in records} == {0, 1, 2}


def test_the_same_post_comes_to_the_same_partition_again(make_settings):
    settings = make_settings(partitions=3)
    rows = "".join(f"{n} 산불\n" for n in range(20)).encode()
    assert sent(settings, "-", stdin=rows)[0] == sent(settings, "-", stdin=rows)[0] == 0
    records = read_all(settings.kafka.bootstrap_servers, settings.topics.posts)
    assert len(records) == 40
    assert len({(record.key, record.partition) for record in records}) == 20


def test_a_post_too_large_for_the_topic_is_rejected_and_the_others_are_sent(make_settings):
    settings = make_settings(partitions=1, topics={"max_message_bytes": 20_000})
    rows = json.dumps([{"text": "하나"}, {"text": "x" * 30_000}, {"text": "셋"}]).encode()
    code, said = sent(settings, "-", stdin=rows)
    assert code == 1
    assert "standard input, element 2: is 30," in said
    assert "and the topic takes messages of 20,000" in said
    records = read_all(settings.kafka.bootstrap_servers, settings.topics.posts)
    assert [json.loads(record.value)["text"] for record in records] == ["하나", "셋"]


def test_a_rate_is_kept(make_settings):
    settings = make_settings(partitions=1)
    sent(settings, "-", stdin=b"\n".join(b"post %d" % n for n in range(41)), per_second=20.0)
    records = read_all(settings.kafka.bootstrap_servers, settings.topics.posts)
    assert 1500 < records[-1].timestamp_ms - records[0].timestamp_ms < 4000


def test_a_missing_topic_is_one_sentence(stack):
    settings = Settings(kafka={"bootstrap_servers": stack.bootstrap_servers}, topics={"posts": "nowhere"})
    with pytest.raises(
        UserError, match=r"Topic nowhere does not exist; `nifos-stream topics create` makes it\."
    ):
        sent(settings, "-", stdin=b"post")


def test_an_unknown_broker_is_one_sentence():
    settings = Settings(kafka={"bootstrap_servers": "127.0.0.1:1", "startup_timeout_seconds": 1})
    with pytest.raises(UserError, match=r"No Kafka broker answered at 127\.0\.0\.1:1 within 1 s"):
        sent(settings, "-", stdin=b"post")
