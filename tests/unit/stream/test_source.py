import threading

import pytest
from confluent_kafka import KafkaError, TopicPartition

from nifos_stream.errors import NifosError, Reason, UserError
from nifos_stream.stream.batch import Rejected
from tests.unit.stream.fakes import FakeMessage, end_of
from tests.unit.stream.reading import places, poll


def test_records_become_rows_with_everything_that_they_carry(source, consumer):
    (row,) = poll(source, consumer, consumer.assign(0), FakeMessage(5))
    assert row.post.text == "좋아요"
    assert row.record.key == b"k"
    assert row.record.headers == (("h", b"1"),)
    assert (row.record.topic, row.record.partition, row.record.offset) == ("posts", 0, 5)
    assert row.record.timestamp_ms == 1_777_000_000_000


def test_a_bad_record_becomes_a_row_that_says_why(source, consumer):
    rows = poll(source, consumer, consumer.assign(0), FakeMessage(0), FakeMessage(1, value=b"{"))
    assert isinstance(rows[1], Rejected)
    assert rows[1].reason is Reason.NOT_JSON
    assert rows[1].record.value == b"{"


def test_the_end_of_a_partition_is_known_until_something_follows(source, consumer):
    poll(source, consumer, consumer.assign(0), FakeMessage(0), end_of(2))
    assert source.standings[0].at_end
    assert source.standings[0].position == 2
    poll(source, consumer, FakeMessage(2))
    assert not source.standings[0].at_end


def test_rows_of_partitions_revoked_in_the_same_call_are_dropped(source, consumer, ownership, gone):
    """librdkafka hands out what it gathered before the callback (librdkafka #3340)."""
    poll(source, consumer, consumer.assign(0, 1))
    rows = poll(source, consumer, FakeMessage(0, 0), FakeMessage(0, 1), consumer.revoke(0), FakeMessage(1, 1))
    assert places(rows) == [(1, 0), (1, 1)]
    assert gone == [{0}]
    assert ownership.claims().keys() == {1}


def test_a_header_whose_name_is_not_utf8_makes_a_dead_letter(source, consumer, monkeypatch):
    message = FakeMessage(0)

    def headers():
        raise SystemError("returned a result with an exception set")

    monkeypatch.setattr(message, "headers", headers)
    rows = poll(source, consumer, consumer.assign(0), message, FakeMessage(1))
    assert isinstance(rows[0], Rejected)
    assert rows[0].reason is Reason.NOT_UTF8
    assert rows[0].record.headers == ()
    assert rows[1].post.text == "좋아요"


def test_a_gap_of_a_partition_that_went_is_forgotten(source, consumer, trimming):
    poll(source, consumer, consumer.assign(0), FakeMessage(0), FakeMessage(10))
    poll(source, consumer, consumer.revoke(0))
    trimming.asking()
    assert trimming.settle({0: 10}) == {}


def test_each_assignment_is_a_claim_of_its_own(source, consumer, ownership):
    poll(source, consumer, consumer.assign(0))
    first = ownership.claims()
    poll(source, consumer, consumer.lose(0))
    assert ownership.claims() == {}
    poll(source, consumer, consumer.assign(0))
    assert ownership.claims().keys() == {0}
    assert ownership.claims() != first


def test_the_metadata_of_a_claim_are_those_of_its_assignment(source, consumer, ownership):
    consumer.generation = 7
    poll(source, consumer, consumer.assign(0))
    assert ownership.lend(ownership.claims()).group_metadata == consumer.consumer_group_metadata()


def test_a_gap_is_looked_at_for_posts_that_were_deleted(source, consumer, trimming):
    poll(source, consumer, consumer.assign(0), FakeMessage(0), FakeMessage(10))
    trimming.asking()
    assert trimming.settle({0: 10}) == {0: 9}


def test_a_gap_between_the_committed_offset_and_the_first_row_too(source, consumer, trimming, ownership):
    consumer.committed_offsets = {0: 4}
    poll(source, consumer, consumer.assign(0, 1), FakeMessage(10, 0), FakeMessage(10, 1))
    trimming.asking()
    assert trimming.settle({0: 10, 1: 10}) == {0: 6}, "a group that begins has lost nothing"
    assert ownership.committed() == {0: 4}


def test_an_emptied_partition_has_lost_its_posts_as_well(source, consumer, trimming):
    consumer.committed_offsets = {0: 4}
    poll(source, consumer, consumer.assign(0), end_of(10))
    trimming.asking()
    assert trimming.settle({0: 10}) == {0: 6}


def test_a_topic_made_anew_is_read_from_its_start(source, consumer):
    poll(source, consumer, consumer.assign(0), FakeMessage(10))
    assert places(poll(source, consumer, FakeMessage(0), FakeMessage(1))) == [(0, 0), (0, 1)]
    assert source.standings[0].position == 2


def test_holding_pauses_what_is_owned_and_what_comes(source, consumer):
    poll(source, consumer, consumer.assign(0, 1))
    source.hold(True)
    assert consumer.paused == {0, 1}
    poll(source, consumer, consumer.assign(2))
    source.hold(True)
    assert consumer.paused == {0, 1, 2}
    source.hold(False)
    assert consumer.paused == set()


def test_what_came_while_holding_does_not_keep_the_others_paused(source, consumer):
    poll(source, consumer, consumer.assign(0))
    source.hold(True)
    poll(source, consumer, consumer.assign(1))
    source.hold(False)
    assert consumer.paused == set()


def test_a_worker_is_not_settled_between_two_shares(source, consumer, clock):
    assert not source.settled(1000)
    poll(source, consumer, consumer.assign())
    assert source.settled(0), "its share is none"
    poll(source, consumer, consumer.assign(0))
    poll(source, consumer, consumer.revoke(0))
    assert not source.settled(1000)
    clock.seconds += 40
    assert not source.settled(5), "the broker was away"
    assert source.settled(40), "nobody said that the new share is none"


def test_offsets_are_committed_by_the_thread_that_polls(source, consumer):
    offsets = [TopicPartition("posts", 0, 5)]
    asking = threading.Thread(target=source.commit, args=(offsets,))
    asking.start()
    while not consumer.commits:
        poll(source, consumer)
    asking.join(5)
    assert consumer.commits == [{0: 5}]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "read topic posts"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "consumer group group"),
    ],
)
def test_what_kafka_refuses_is_said_in_a_sentence(source, consumer, code, sentence):
    with pytest.raises(UserError, match=sentence):
        poll(source, consumer, FakeMessage(0, code=code))


def test_an_error_that_passes_does_not_stop_the_reading(source, consumer):
    hindrance = FakeMessage(0, code=KafkaError._TRANSPORT)
    assert places(poll(source, consumer, consumer.assign(0), hindrance, FakeMessage(0))) == [(0, 0)]


def test_a_fatal_error_stops_the_worker(source, consumer):
    message = FakeMessage(0)
    message._error = KafkaError(KafkaError._FATAL, fatal=True)
    with pytest.raises(NifosError, match="cannot go on"):
        poll(source, consumer, message)
