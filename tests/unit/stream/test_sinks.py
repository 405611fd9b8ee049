"""Both sinks against a producer that fails as told."""

import datetime as dt

import pytest
from confluent_kafka import KafkaError

from nifos_stream.errors import BrokerUnavailable, NifosError, Reason, UserError
from nifos_stream.messages import ModelRef
from nifos_stream.stream import sink as sinks
from nifos_stream.stream.outbox import Destination, Outbox
from nifos_stream.stream.ownership import Ownership
from nifos_stream.stream.plain import PlainSink
from nifos_stream.stream.sink import Parcel
from nifos_stream.stream.transactional import TransactionalSink
from tests.unit.stream.fakes import bad_row, batch, error, metadata, read, row

TIMED_OUT = error(KafkaError._TIMED_OUT, retriable=True)
RETRIABLE = error(KafkaError.COORDINATOR_LOAD_IN_PROGRESS, retriable=True)
FENCED_MEMBER = error(KafkaError.ILLEGAL_GENERATION, requires_abort=True)
FATAL = error(KafkaError._FENCED, fatal=True)
TRANSACTION = ["begin_transaction", "produce", "send_offsets_to_transaction", "flush", "commit_transaction"]


@pytest.fixture
def ownership(clock):
    owned = Ownership(handover_seconds=10, now=clock)
    owned.assigned([0, 1], metadata())
    return owned


@pytest.fixture
def outbox():
    return Outbox(
        events=Destination("sentiment", 2),
        letters=Destination("letters", 2),
        model=ModelRef(name="fake", revision="0123456789ab"),
        version="0.1.0",
        matched_keywords=lambda _post: (),
        utcnow=lambda: dt.datetime.now(dt.UTC),
    )


def common(kafka, outbox, clock):
    return {
        "open_producer": kafka.producer,
        "too_large": outbox.too_large,
        "step_seconds": 10,
        "patience_seconds": 60,
        "wait": clock.wait,
        "now": clock,
    }


@pytest.fixture
def sink(kafka, ownership, outbox, clock):
    made = TransactionalSink(
        "posts", ownership, committed_offsets=kafka.committed, **common(kafka, outbox, clock)
    )
    made.open(30)
    kafka.calls.clear()
    return made


@pytest.fixture
def plain(kafka, ownership, outbox, clock):
    made = PlainSink("posts", ownership, commit=kafka.commit, **common(kafka, outbox, clock))
    made.open(30)
    return made


@pytest.fixture
def parcel(ownership, outbox):
    def make(*rows):
        claims = ownership.claims()
        numbers = {each.record.partition for each in rows}
        made = batch(*rows, claims={number: claims[number] for number in numbers})
        return Parcel(made, outbox.address(made, [read(each.post.text) for each in made.posts]))

    return make


def origins(kafka, topic="sentiment"):
    return [(partition, value) for name, partition, value in kafka.messages if name == topic]


def test_events_letters_and_offsets_are_committed_together(kafka, sink, parcel, ownership):
    published = sink.publish(parcel(row(0), bad_row(1), row(5, partition=1)))
    assert kafka.calls == ["begin_transaction", *["produce"] * 3, *TRANSACTION[2:]]
    assert [(topic, partition) for topic, partition, _ in kafka.messages] == [
        ("sentiment", 0),
        ("letters", 0),
        ("sentiment", 1),
    ]
    assert kafka.offsets == {0: 2, 1: 6}
    assert published.next_offsets == {0: 2, 1: 6}
    assert ownership.committed() == {0: 2, 1: 6}


def test_offsets_alone_are_a_transaction_too(kafka, sink, ownership):
    alone = batch(claims={0: ownership.claims()[0]})
    sink.publish(Parcel(type(alone)((), alone.claims, {0: 9}), []))
    assert kafka.offsets == {0: 9}
    assert kafka.messages == []


def test_a_retriable_error_is_answered_by_calling_again(kafka, sink, parcel):
    kafka.failing("send_offsets_to_transaction", RETRIABLE, RETRIABLE)
    assert sink.publish(parcel(row(0)))
    assert kafka.calls.count("send_offsets_to_transaction") == 3
    assert kafka.calls.count("begin_transaction") == 1


@pytest.mark.parametrize(
    "call", ["produce", "send_offsets_to_transaction", "commit_transaction", "begin_transaction"]
)
def test_an_error_that_asks_for_an_abort_is_followed_by_another_attempt(kafka, sink, parcel, call):
    kafka.failing(call, FENCED_MEMBER)
    assert sink.publish(parcel(row(0)))
    assert kafka.calls.count("abort_transaction") == 1
    assert len(kafka.messages) == 1
    assert kafka.producers == 1


def test_an_attempt_that_failed_leaves_nothing_behind(kafka, sink, parcel):
    kafka.failing("deliver", error(KafkaError._MSG_TIMED_OUT))
    assert sink.publish(parcel(row(0), row(1)))
    assert [partition for partition, _ in origins(kafka)] == [0, 0]
    assert kafka.calls.count("abort_transaction") == 1


def test_no_commit_without_every_delivery_report(kafka, sink, parcel):
    kafka.failing("deliver", *[error(KafkaError._MSG_TIMED_OUT)] * 3)
    sink.publish(parcel(row(0), row(1), row(2)))
    assert kafka.calls.index("abort_transaction") < kafka.calls.index("commit_transaction")


@pytest.mark.parametrize("call", ["commit_transaction", "send_offsets_to_transaction"])
def test_a_timeout_means_a_new_producer(kafka, sink, parcel, call):
    """A late EndTxn could end the next transaction of the old one (librdkafka #5423)."""
    kafka.failing(call, TIMED_OUT)
    assert sink.publish(parcel(row(0)))
    assert kafka.producers == 2
    assert "abort_transaction" not in kafka.calls
    assert len(kafka.messages) == 1
    assert sink.restarts == 1


def test_a_commit_that_was_made_after_all_is_not_made_again(kafka, sink, parcel, ownership):
    kafka.failing("commit_transaction lost", TIMED_OUT)
    assert sink.publish(parcel(row(0))).next_offsets == {0: 1}
    assert kafka.producers == 2
    assert len(kafka.messages) == 1
    assert ownership.committed() == {0: 1}


def test_an_old_commit_is_not_taken_for_this_one(kafka, sink, parcel):
    """A group that stands further ahead, as after a topic was made anew, has not committed this batch."""
    kafka.offsets = {0: 1000}
    kafka.failing("commit_transaction", TIMED_OUT)
    assert sink.publish(parcel(row(0)))
    assert len(kafka.messages) == 1


def test_an_abort_without_answer_means_a_new_producer(kafka, sink, parcel):
    kafka.failing("send_offsets_to_transaction", FENCED_MEMBER)
    kafka.failing("abort_transaction", TIMED_OUT)
    assert sink.publish(parcel(row(0)))
    assert kafka.producers == 2
    assert len(kafka.messages) == 1


def test_a_fatal_error_means_a_new_producer(kafka, sink, parcel):
    kafka.failing("begin_transaction", FATAL)
    assert sink.publish(parcel(row(0)))
    assert kafka.producers == 2


def test_a_call_that_hangs_means_a_new_producer(kafka, sink, parcel, monkeypatch):
    """librdkafka #5456: send_offsets_to_transaction may ignore its timeout."""
    import threading

    never = threading.Event()
    hanging = sink._producer
    hanging.send_offsets_to_transaction = lambda *_: never.wait()
    sink._step_seconds = -4.9
    monkeypatch.setattr(sinks, "_GRACE_SECONDS", 5.0)
    assert sink.publish(parcel(row(0)))
    assert kafka.producers == 2
    assert len(kafka.messages) == 1
    never.set()


def test_a_broker_that_stays_away_is_not_waited_for_without_end(kafka, sink, parcel, clock):
    begun_at = clock()
    kafka.failing("begin_transaction", *[FENCED_MEMBER] * 1000)
    with pytest.raises(BrokerUnavailable, match="60 s"):
        sink.publish(parcel(row(0)))
    assert 60 <= clock() - begun_at < 70


def test_what_kafka_refuses_for_good_is_said_at_once(kafka, sink, parcel):
    refused = error(KafkaError.TOPIC_AUTHORIZATION_FAILED, requires_abort=True)
    kafka.failing("produce", refused)
    with pytest.raises(UserError, match="write to a topic"):
        sink.publish(parcel(row(0)))


def test_a_transaction_timeout_that_the_broker_does_not_allow_is_said_before_reading(
    kafka, ownership, outbox, clock
):
    sink = TransactionalSink(
        "posts", ownership, committed_offsets=kafka.committed, **common(kafka, outbox, clock)
    )
    kafka.failing("init_transactions", error(KafkaError.INVALID_TRANSACTION_TIMEOUT, fatal=True))
    with pytest.raises(UserError, match="transaction_timeout_seconds"):
        sink.open(30)


def test_a_broker_that_comes_late_is_waited_for_at_start(kafka, ownership, outbox, clock):
    sink = TransactionalSink(
        "posts", ownership, committed_offsets=kafka.committed, **common(kafka, outbox, clock)
    )
    kafka.failing("init_transactions", TIMED_OUT, TIMED_OUT)
    sink.open(30)
    assert kafka.producers == 3


def test_only_what_is_still_owned_is_published(kafka, sink, parcel, ownership):
    both = parcel(row(0), row(5, partition=1))
    ownership.revoked([0])
    assert sink.publish(both).next_offsets == {1: 6}
    assert [partition for partition, _ in origins(kafka)] == [1]
    assert kafka.offsets == {1: 6}


def test_nothing_is_published_for_a_partition_that_is_gone(kafka, sink, parcel, ownership):
    gone = parcel(row(0))
    ownership.lost([0])
    assert sink.publish(gone) is None
    assert kafka.calls == []


def test_a_partition_lost_in_the_middle_aborts_the_transaction(kafka, sink, parcel, ownership):
    both = parcel(row(0), row(5, partition=1))
    produce = sink._producer.produce

    def lose_and_produce(*arguments, **more):
        ownership.lost([0])
        produce(*arguments, **more)

    sink._producer.produce = lose_and_produce
    sink.publish(both)
    assert kafka.calls.count("abort_transaction") == 1
    assert kafka.offsets == {1: 6}
    assert [partition for partition, _ in origins(kafka)] == [1]


def test_an_event_too_large_becomes_a_dead_letter_and_the_batch_goes_on(kafka, sink, parcel):
    large = row(1, text="좋아요" * 100)
    kafka.largest = len(large.record.value) + 50
    published = sink.publish(parcel(row(0, text="a"), large, row(2, text="b")))
    assert len(origins(kafka)) == 2
    assert origins(kafka, "letters") == [(0, large.record.value)]
    assert [message.reason for message in published.messages] == [None, Reason.EVENT_TOO_LARGE, None]
    assert kafka.offsets == {0: 3}


def test_a_dead_letter_too_large_stops_the_worker_rather_than_be_dropped(kafka, sink, parcel):
    kafka.largest = 10
    with pytest.raises(NifosError, match=r"max\.message\.bytes"):
        sink.publish(parcel(row(0)))
    assert kafka.messages == []


def test_at_least_once_commits_after_every_delivery_report(kafka, plain, parcel):
    assert plain.publish(parcel(row(0), bad_row(1)))
    assert kafka.calls == ["produce", "produce", "flush", "commit"]
    assert kafka.offsets == {0: 2}
    assert len(kafka.messages) == 2


def test_at_least_once_publishes_again_what_was_not_delivered(kafka, plain, parcel):
    kafka.failing("deliver", error(KafkaError._MSG_TIMED_OUT))
    assert plain.publish(parcel(row(0), row(1)))
    assert kafka.calls.count("commit") == 1
    assert kafka.producers == 2


def test_at_least_once_never_commits_for_a_partition_that_is_gone(kafka, plain, parcel, ownership):
    gone = parcel(row(0))
    flush = plain._producer.flush

    def flush_and_lose(timeout):
        flush(timeout)
        ownership.lost([0])

    plain._producer.flush = flush_and_lose
    assert plain.publish(gone) is None
    assert "commit" not in kafka.calls
