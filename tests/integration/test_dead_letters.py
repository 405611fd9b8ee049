"""Dead letters on real Kafka: listed, mended, sent in again once, whoever else does so at the same time."""

import datetime as dt
import json
import random
import subprocess
import sys
import threading

import pytest
from confluent_kafka import Producer

from nifos_stream.commands.dead_letters import list_letters, redrive
from nifos_stream.commands.letters import LetterTopic
from nifos_stream.commands.resending import Resender, Resent
from nifos_stream.errors import UserError
from nifos_stream.kafka import producer_config
from nifos_stream.stream.codec import Record, letter_headers
from tests.integration.kafka_tools import (
    New,
    create_topic,
    environment,
    produce_all,
    read_all,
    wait_until,
)
from tests.integration.stages import running

FAILED_AT = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def letter(
    number: int, value: bytes | None, *, partition: int = 0, topic: str, reason: str = "not_json", headers=()
):
    record = Record(f"k{number}".encode(), value, tuple(headers), topic, partition, number, 1_777_000_000_000)
    ours = letter_headers(record, reason, "It is not JSON.", failed_at=FAILED_AT, version="1.0")
    return New(value, key=record.key, headers=tuple(ours), partition=partition)


def committed(settings, topic, count):
    """The records of a topic, once there are so many: a transaction shows a moment after its commit."""
    bootstrap = settings.kafka.bootstrap_servers
    return wait_until(
        lambda: found if len(found := read_all(bootstrap, topic)) >= count else None, what=f"{count} records"
    )


def sent(settings, count):
    """What lies in the input topic, without its offsets, which transactions make uneven."""
    records = committed(settings, settings.topics.posts, count)
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
    assert sorted(sent(settings, 6), key=lambda item: item[1]) == [
        (i % 3, f"k{i}".encode(), value, own) for i, value in enumerate(values)
    ]
    again = redrive(settings, everything=True)
    assert (again.sent, again.skipped) == (0, 6)
    assert len(sent(settings, 6)) == 6
    wait_until(lambda: not list(list_letters(settings, only_waiting=True)))
    assert all(found.redriven for found in list_letters(settings))


def test_only_letters_with_the_reason_asked_for_are_sent(make_settings):
    settings = make_settings(partitions=1)
    posts = settings.topics.posts
    write(settings, [letter(0, b"a", topic=posts), letter(1, b"b", topic=posts, reason="too_deep")])
    assert redrive(settings, reason="too_deep").sent == 1
    assert [value for _, _, value, _ in sent(settings, 1)] == [b"b"]
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
    assert sorted(value for _, _, value, _ in sent(settings, 2)) == [
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
    assert [value for _, _, value, _ in sent(small, 3)] == [b"a", b"b", b"c"]
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
    assert sorted(int(value) for _, _, value, _ in sent(settings, 200)) == list(range(200))


def test_letters_are_listed_in_the_order_of_the_topic(make_settings):
    settings = make_settings(partitions=3)
    write(settings, [letter(i, b"%d" % i, topic=settings.topics.posts, partition=i % 3) for i in range(90)])
    places = [(found.partition, found.offset) for found in list_letters(settings)]
    assert len(places) == 90
    assert places == sorted(places)


def test_a_transaction_left_open_by_a_killed_redrive_is_ended_by_the_next(make_settings):
    settings = make_settings(partitions=1)
    write(settings, [letter(i, b"%d" % i, topic=settings.topics.posts) for i in range(20)])
    dead = Resender(settings, partitions=1)
    dead._producer.begin_transaction()
    dead._produce(settings.topics.posts, [(0, b"k0", b"half", ())])
    assert redrive(settings, everything=True).sent == 20
    assert sorted(int(value) for _, _, value, _ in sent(settings, 20)) == list(range(20))


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
    assert len(sent(settings, 5)) == 5


def test_without_transactions_letters_are_sent_and_marked_one_by_one(make_settings):
    settings = make_settings(partitions=1, stream={"delivery": "at_least_once", "group_id": "g"})
    write(settings, [letter(i, b"%d" % i, topic=settings.topics.posts) for i in range(5)])
    assert redrive(settings, everything=True).sent == 5
    assert redrive(settings, everything=True).skipped == 5
    assert sorted(int(value) for _, _, value, _ in sent(settings, 5)) == list(range(5))


# Five hundred bad messages among five thousand good ones.

GOOD = 5000
EACH = 25
KINDS = {
    "an old encoding": ("not_utf8", lambda n: f'{{"id": "b{n}", "text": "본문"}}'.encode("cp949")),
    "half a character": ("not_utf8", lambda n: b'{"id": "b%d", "text": "\xec\x88"}' % n),
    "nothing": ("not_json", lambda _: b""),
    "no value": ("no_value", lambda _: None),
    "plain text": ("not_json", lambda n: f"숲길이 좋아요 {n}".encode()),
    "a torn line": ("not_json", lambda n: b'{"id": "b%d", "te' % n),
    "two objects": ("not_json", lambda n: b'{"id": "b%d", "text": "a"}{}' % n),
    "single quotes": ("not_json", lambda n: b"{'id': 'b%d', 'text': 'a'}" % n),
    "NaN": ("not_json", lambda n: b'{"id": "b%d", "text": "a", "rating": NaN}' % n),
    "a list": ("not_an_object", lambda n: b'[{"id": "b%d", "text": "a"}]' % n),
    "a string": ("not_an_object", lambda n: b'"b%d"' % n),
    "a number": ("not_an_object", lambda n: b"%d" % n),
    "null": ("not_an_object", lambda _: b"null"),
    "no id": ("invalid_post", lambda _: b'{"text": "a"}'),
    "no text": ("invalid_post", lambda n: b'{"id": "b%d"}' % n),
    "text that is a list": ("invalid_post", lambda n: b'{"id": "b%d", "text": ["a"]}' % n),
    "no date": ("invalid_post", lambda n: b'{"id": "b%d", "text": "a", "created_at": "soon"}' % n),
    "half a pair": ("invalid_post", lambda n: b'{"id": "b%d", "text": "\\ud83c"}' % n),
    "a thousand levels": (
        "too_deep",
        lambda n: b'{"id": "b%d", "text": "a", "x": ' % n + b"[" * 1000 + b"]" * 1000 + b"}",
    ),
    "only space": ("empty_text", lambda n: '{"id": "b%d", "text": " \\n\u3000"}'.encode() % n),
}


def bad_messages() -> list[tuple[str, New]]:
    """(reason, message) of each, with headers of which one has a name of ours."""
    made = []
    for kind, (reason, make) in KINDS.items():
        for n in range(EACH):
            number = len(made)
            headers = (("kind", kind.encode()), ("nifos.reason", b"its own"), ("traceparent", b"00-%d" % n))
            made.append((reason, New(make(number), b"b%d" % number, headers, number % 9)))
    return made


@pytest.mark.timeout(600)
def test_bad_messages_among_good_ones_are_kept_listed_mended_and_labelled(make_settings, tmp_path):
    settings = make_settings()
    bootstrap, topics = settings.kafka.bootstrap_servers, settings.topics
    bad = bad_messages()
    assert len(KINDS) == 20
    assert len(bad) == 500
    good = [New(b'{"id": "g%d", "text": "a"}' % n, b"g%d" % n, (), n % 9) for n in range(GOOD)]
    mixed = good + [message for _, message in bad]
    random.Random(5).shuffle(mixed)
    places = dict(
        zip((message.key for message in mixed), produce_all(bootstrap, topics.posts, mixed), strict=True)
    )

    with running(settings) as worker:
        worker.wait_idle()
    labelled = committed(settings, topics.sentiment, GOOD)
    assert sorted(record.key for record in labelled) == sorted(message.key for message in good)

    # Byte for byte, with the reason.
    letters = {record.key: record for record in committed(settings, topics.dead_letters, 500)}
    assert len(letters) == 500
    for reason, message in bad:
        found = letters[message.key]
        assert (found.value, found.headers[:3]) == (message.value, message.headers)
        said = dict(found.headers[3:])
        assert said["nifos.reason"].decode() == reason, message.headers
        assert (int(said["nifos.partition"]), int(said["nifos.offset"])) == places[message.key]
        assert said["nifos.detail"].endswith(b".")

    # Listed to a file, mended there, and sent in again.
    lines = [json.loads(found.model_dump_json()) for found in list_letters(settings)]
    assert len(lines) == 500
    path = tmp_path / "letters.jsonl"
    mended = [line | {"value": json.dumps({"id": line["key"], "text": "고침"})} for line in lines]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in mended), encoding="utf-8")
    result = redrive(settings, file=path)
    assert (result.sent, result.mended) == (500, 500)
    assert redrive(settings, file=path).skipped == 500

    with running(settings) as worker:
        worker.wait_idle()
    labelled = committed(settings, topics.sentiment, GOOD + 500)
    assert sorted(record.key for record in labelled) == sorted(message.key for message in mixed)
    again = {record.key: record for record in labelled}
    for _, message in bad:
        assert json.loads(again[message.key].value)["text"] == "고침"
        assert again[message.key].headers == message.headers
    assert [found.redriven for found in list_letters(settings)] == [True] * 500


def test_the_command_line_lists_to_a_file_that_can_be_mended_and_redriven(make_settings, tmp_path):
    settings = make_settings(partitions=1)
    write(settings, [letter(i, b"broken %d \xff" % i, topic=settings.topics.posts) for i in range(3)])

    def command(*words):
        return subprocess.run(
            [sys.executable, "-m", "nifos_stream", "dead-letters", *words],
            env=environment(settings),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=True,
        ).stdout

    path = tmp_path / "letters.jsonl"
    path.write_text(command("list", "--json").replace("broken 1", "mended 1"), encoding="utf-8")
    assert command("redrive", str(path)) == "Sent 3 dead letters in again, 1 of them mended.\n"
    assert [value for _, _, value, _ in sent(settings, 3)] == [
        b"broken 0 \xff",
        rb"mended 1 \xff",
        b"broken 2 \xff",
    ]
    assert "3 skipped" in command("redrive", "--all")
    assert "not_json" in command("list")
