"""`tail` on a real broker."""

import io
import json
import threading
from contextlib import closing

import pytest
from confluent_kafka import Producer
from rich.console import Console

from nifos_stream.commands.labelled import LabelledTopic
from nifos_stream.commands.tail import Filter, tail
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from tests.integration.kafka_tools import New, committed_offsets, produce_all
from tests.unit.commands.test_tail import value

COUNT = 900


@pytest.fixture
def settings(make_settings):
    """900 labelled posts in 3 partitions, every hundredth positive; an aborted transaction behind them."""
    settings = make_settings(partitions=3)
    records = [
        New(
            value(label="positive" if number % 100 == 0 else "negative", id=str(number)),
            partition=number % 3,
            timestamp_ms=1_777_593_600_000 + number,
        )
        for number in range(COUNT)
    ]
    produce_all(settings.kafka.bootstrap_servers, settings.topics.sentiment, records)
    aborting(settings)
    return settings


def aborting(settings):
    bootstrap = {"bootstrap.servers": settings.kafka.bootstrap_servers}
    producer = Producer({**bootstrap, "transactional.id": f"aborting-{settings.topics.sentiment}"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for partition in range(3):
        producer.produce(settings.topics.sentiment, value(id="aborted"), partition=partition)
    producer.flush(30)
    producer.abort_transaction(30)


def identifiers(settings, wanted=None, remark="", **options):
    out = io.BytesIO()
    said = io.StringIO()
    tail(
        settings,
        wanted or Filter(),
        follow=False,
        as_json=True,
        out=out,
        err=Console(file=said),
        **options,
    )
    assert said.getvalue() == remark
    return [json.loads(line)["id"] for line in out.getvalue().splitlines()]


def test_the_last_posts_come_in_the_order_in_which_they_were_labelled(settings):
    assert identifiers(settings, last=5) == ["895", "896", "897", "898", "899"]


def test_the_last_posts_that_a_filter_accepts_are_found_far_back(settings):
    assert identifiers(settings, Filter.of(labels=["긍정"]), last=4) == ["500", "600", "700", "800"]
    assert identifiers(settings, Filter.of(labels=["긍정"]), last=100) == [
        str(n) for n in range(0, COUNT, 100)
    ]


def test_all_posts_from_the_beginning_and_no_aborted_one(settings):
    assert sorted(map(int, identifiers(settings, from_beginning=True))) == list(range(COUNT))


def test_nothing_is_asked_of_an_empty_topic(make_settings):
    empty = make_settings(partitions=2)
    remark = "There is no labelled post yet.\n"
    assert identifiers(empty, remark=remark, last=5) == []
    assert identifiers(empty, remark=remark, from_beginning=True) == []


def test_new_posts_are_followed_and_nothing_is_committed(settings):
    lines: list[str] = []

    class Ended(Exception):
        pass

    class Screen(io.StringIO):
        def write(self, text: str) -> int:
            if text.strip():
                lines.append(text.strip())
            return len(text)

        def flush(self) -> None:
            if len(lines) >= 3:
                raise Ended

    def produce_one() -> None:
        record = New(value(id="new", text="새 글"), partition=1)
        produce_all(settings.kafka.bootstrap_servers, settings.topics.sentiment, [record])

    timer = threading.Timer(3, produce_one)
    timer.start()
    with pytest.raises(Ended):
        tail(settings, Filter(), last=2, console=Console(file=Screen(), soft_wrap=True))
    timer.join()
    assert lines[0].endswith("산불이 났다")
    assert lines[2].endswith("새 글")
    assert committed_offsets(settings.kafka.bootstrap_servers, "nifos-tail", settings.topics.sentiment) == {}


def test_reading_back_ends_somewhere_and_says_so(settings):
    with closing(LabelledTopic(settings)) as topic:
        events, complete = topic.last(5, lambda _event: False, most_records=100)
    assert (events, complete) == ([], False)


def test_a_missing_topic_is_one_sentence(stack):
    settings = Settings(kafka={"bootstrap_servers": stack.bootstrap_servers}, topics={"sentiment": "nowhere"})
    with pytest.raises(UserError, match="Topic nowhere does not exist"):
        tail(settings, Filter())
