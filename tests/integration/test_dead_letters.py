"""Dead letters on real Kafka: listed, mended, sent in again once, whoever else does so at the same time."""

import datetime as dt
import json
import random
import threading

import pytest
from confluent_kafka import Producer

from nifos_stream.commands.dead_letters import list_letters, redrive
from nifos_stream.commands.letters import LetterTopic
from nifos_stream.commands.resending import Resender, Resent
from nifos_stream.errors import UserError
from nifos_stream.kafka import producer_config
from nifos_stream.stream.codec import Record, letter_headers
from tests.integration.kafka_tools import New, create_topic, produce_all, read_all

FAILED_AT = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def letter(
    number: int, value: bytes | None, *, partition: int = 0, topic: str, reason: str = "not_json", headers=()
):
    record = Record(f"k{number}".encode(), value, tuple(headers), topic, partition, number, 1_777_000_000_000)
    ours = letter_headers(record, reason, "It is not JSON.", failed_at=FAILED_AT, version="1.0")
    return New(value, key=record.key, headers=tuple(ours), partition=partition)


def sent(settings):
    """What lies in the input topic, without its offsets, which transactions make uneven."""
    records = read_all(settings.kafka.bootstrap_servers, settings.topics.posts)
    return [(r.partition, r.key, r.value, r.headers) for r in records]


def write(settings, letters):
    return produce_all(settings.kafka.bootstrap_servers, settings.topics.dead_letters, letters)


def test_letters_are_listed_with_whatever_bytes_they_hold(make_settings):
    settings = make_settings(partitions=2)
    posts = settings.topics.posts
    write(
        settings,
        [letter(0, b"\xff\x00", topic=posts), letter(1, None, partition=1, topic=posts), b"not ours"],
    )
    first, second = sorted(list_letters(settings), key=lambda found: found.origin.offset)
    assert (first.value, first.value_base64, first.key) == ("\\xff\x00", "/wA=", "k0")
    assert (second.value, second.value_base64, second.redriven) == (None, None, False)
    assert (second.origin.topic, second.origin.partition, second.origin.offset) == (posts, 1, 1)


def test_every_letter_is_sent_in_again_once_with_its_own_key_value_and_headers(make_settings):
    settings = make_settings(partitions=3)
    posts = settings.topics.posts
    own = (("traceparent", b"00-1"), ("nifos.reason", b"its own"), ("empty", None))
    values = [b"\xff", b"", None, b"x" * 10, b'{"id": 1}', "본문".encode()]
    write(settings, [letter(i, v, partition=i % 3, topic=posts, headers=own) for i, v in enumerate(values)])
    result = redrive(settings, everything=True)
    assert (result.sent, result.mended, result.skipped) == (6, 0, 0)
    assert sorted(sent(settings), key=lambda item: item[1]) == [
        (i % 3, f"k{i}".encode(), value, own) for i, value in enumerate(values)
    ]
    again = redrive(settings, everything=True)
    assert (again.sent, again.skipped) == (0, 6)
    assert len(sent(settings)) == 6
    assert all(found.redriven for found in list_letters(settings))
    assert list(list_letters(settings, only_waiting=True)) == []


def test_only_letters_with_the_reason_asked_for_are_sent(make_settings):
    settings = make_settings(partitions=1)
    posts = settings.topics.posts
    write(settings, [letter(0, b"a", topic=posts), letter(1, b"b", topic=posts, reason="too_deep")])
    assert redrive(settings, reason="too_deep").sent == 1
    assert [value for _, _, value, _ in sent(settings)] == [b"b"]
    assert [found.value for found in list_letters(settings, reason="not_json")] == ["a"]


def test_a_listed_and_mended_file_is_sent_as_it_was_mended(make_settings, tmp_path):
    settings = make_settings(partitions=2)
    posts = settings.topics.posts
    write(settings, [letter(i, b"\xffbroken%d" % i, partition=i % 2, topic=posts) for i in range(4)])
    lines = [json.loads(found.model_dump_json()) for found in list_letters(settings)]
    by_number = {line["origin"]["offset"]: line for line in lines}
    by_number[0]["value"] = '{"id": "0", "text": "고침"}'
    by_number[1]["origin"]["offset"] = 99
    chosen = [by_number[0], by_number[1], by_number[2], by_number[2] | {"offset": 77}]
    path = tmp_path / "letters.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in chosen))
    result = redrive(settings, file=path)
    assert (result.sent, result.mended, result.unknown) == (2, 1, 2)
    assert sorted(value for _, _, value, _ in sent(settings)) == [
        '{"id": "0", "text": "고침"}'.encode(),
        b"\xffbroken2",
    ]


def test_a_letter_from_another_topic_is_left(make_settings):
    settings = make_settings(partitions=1)
    write(settings, [letter(0, b"a", topic="another")])
    result = redrive(settings, everything=True)
    assert (result.sent, result.elsewhere) == (0, 1)


def test_a_letter_that_the_input_topic_does_not_take_is_left_and_the_others_go(make_settings):
    settings = make_settings(partitions=1)
    posts = settings.topics.posts
    small = settings.model_copy(
        update={"topics": settings.topics.model_copy(update={"posts": f"{posts}-small"})}
    )
    create_topic(settings.kafka.bootstrap_servers, small.topics.posts, 1, {"max.message.bytes": "1500"})
    values = [b"a", b"b", noise_of(2000), b"c", noise_of(3000)]
    write(settings, [letter(i, v, topic=small.topics.posts) for i, v in enumerate(values)])
    result = redrive(small, everything=True)
    assert (result.sent, result.too_large) == (3, 2)
    assert [value for _, _, value, _ in sent(small)] == [b"a", b"b", b"c"]
    assert (redrive(small, everything=True).skipped) == 3


def noise_of(size: int) -> bytes:
    """Bytes that do not compress."""
    return random.Random(size).randbytes(size)


def test_of_two_redrives_at_once_each_letter_is_sent_by_one(make_settings, monkeypatch):
    """The second ends the first, and sees what the first had sent."""
    settings = make_settings(partitions=1)
    monkeypatch.setattr("nifos_stream.commands.resending.BATCH_LETTERS", 10)
    write(settings, [letter(i, b"%d" % i, topic=settings.topics.posts) for i in range(200)])
    second_done = threading.Event()
    results = []

    def start_the_second_once(_):
        if not second_done.is_set():
            second_done.set()
            results.append(redrive(settings, everything=True))

    with pytest.raises(UserError, match="Another redrive"):
        redrive(settings, everything=True, report=start_the_second_once)
    assert results[0].skipped == 10
    assert results[0].sent == 190
    assert sorted(int(value) for _, _, value, _ in sent(settings)) == list(range(200))


def test_a_transaction_left_open_by_a_killed_redrive_is_ended_by_the_next(make_settings):
    settings = make_settings(partitions=1)
    write(settings, [letter(i, b"%d" % i, topic=settings.topics.posts) for i in range(20)])
    dead = Resender(settings, partitions=1)
    dead._producer.begin_transaction()
    dead._produce(settings.topics.posts, [(0, b"k0", b"half", ())])
    assert redrive(settings, everything=True).sent == 20
    assert sorted(int(value) for _, _, value, _ in sent(settings)) == list(range(20))


def test_marks_behind_a_workers_open_transaction_are_waited_for(make_settings):
    """They are committed but not readable yet; to pass them over would send their letters twice."""
    settings = make_settings(partitions=1)
    posts = settings.topics.posts
    write(settings, [letter(i, b"%d" % i, topic=posts) for i in range(5)])
    letters = LetterTopic(settings)
    before = list(letters.letters(letters.ends(with_open_transactions=False)))
    config = {"transactional.id": f"{posts}-worker"}
    worker = Producer(producer_config(settings.kafka, config))
    worker.init_transactions(30)
    worker.begin_transaction()
    worker.produce(settings.topics.dead_letters, value=b"of a batch in hand", partition=0)
    worker.flush()
    Resender(settings, partitions=1).send([Resent(kept, kept.key, kept.value) for kept in before])
    threading.Timer(2.0, worker.commit_transaction).start()
    assert redrive(settings, everything=True).skipped == 5
    assert len(sent(settings)) == 5


def test_without_transactions_letters_are_sent_and_marked_one_by_one(make_settings):
    settings = make_settings(partitions=1, stream={"delivery": "at_least_once", "group_id": "g"})
    write(settings, [letter(i, b"%d" % i, topic=settings.topics.posts) for i in range(5)])
    assert redrive(settings, everything=True).sent == 5
    assert redrive(settings, everything=True).skipped == 5
    assert sorted(int(value) for _, _, value, _ in sent(settings)) == list(range(5))
