"""Where a source begins to read, as its partitions come and go while the broker has an answer or none."""

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException

from nifos_stream.errors import UserError
from tests.unit.stream.fakes import FakeMessage, end_of
from tests.unit.stream.reading import places, poll


def unanswered(_partitions, timeout):  # noqa: ARG001 - as confluent-kafka calls it
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def test_a_partition_that_went_and_came_back_in_one_call_is_read_again(source, consumer):
    """Its rows may be from before or after, so it goes on from the committed offset."""
    poll(source, consumer, consumer.assign(0, 1), FakeMessage(7, 0))
    consumer.committed_offsets = {0: 3}
    rows = poll(
        source,
        consumer,
        FakeMessage(8, 0),
        consumer.revoke(0, 1),
        consumer.assign(0, 1),
        FakeMessage(3, 0),
        FakeMessage(9, 1),
    )
    assert rows == []
    assert consumer.paused == {0, 1}
    assert places(poll(source, consumer, FakeMessage(3, 0), FakeMessage(0, 1))) == [(0, 3), (1, 0)]
    assert sorted(consumer.seeks) == [(0, 3), (1, OFFSET_BEGINNING)]
    assert consumer.paused == set()


def test_an_end_from_before_a_partition_went_says_nothing_of_it(source, consumer):
    """Or what lies between the committed offset and that end would be committed unread."""
    poll(source, consumer, consumer.assign(0))
    consumer.committed_offsets = {0: 3}
    poll(source, consumer, FakeMessage(8), consumer.revoke(0), consumer.assign(0), end_of(9))
    assert source.standings[0].position is None
    assert not source.standings[0].at_end


def test_without_an_answer_where_to_go_on_nothing_is_read_again(source, consumer, monkeypatch):
    """The start of the topic instead of the committed offset would label everything twice."""
    poll(source, consumer, consumer.assign(0))
    monkeypatch.setattr(consumer, "committed", unanswered)
    assert poll(source, consumer, FakeMessage(8), consumer.revoke(0), consumer.assign(0)) == []
    assert poll(source, consumer) == []
    assert consumer.paused == {0}
    assert consumer.seeks == []


def test_a_partition_that_is_not_fetched_yet_needs_no_seek(source, consumer):
    poll(source, consumer, consumer.assign(0))
    consumer.fetching = False
    assert poll(source, consumer, FakeMessage(8), consumer.revoke(0), consumer.assign(0)) == []


def test_a_partition_begins_nowhere_before_the_committed_offset(source, consumer):
    """librdkafka may begin at the start of the topic, where all was labelled before."""
    consumer.committed_offsets = {0: 3}
    rows = poll(source, consumer, consumer.assign(0, 1), FakeMessage(0), FakeMessage(1), FakeMessage(0, 1))
    assert places(rows) == [(1, 0)]
    assert consumer.seeks == [(0, 3)]
    assert places(poll(source, consumer, FakeMessage(3))) == [(0, 3)]
    assert consumer.seeks == [(0, 3)]


def test_the_end_of_a_partition_before_the_committed_offset_is_not_its_end(source, consumer):
    """Nor is a post that comes with it the first of a topic made anew."""
    consumer.committed_offsets = {0: 3}
    assert poll(source, consumer, consumer.assign(0), end_of(0), FakeMessage(0)) == []
    assert not source.standings[0].at_end
    assert consumer.seeks == [(0, 3)]


def test_nothing_is_read_of_a_partition_that_waits(source, consumer, clock, monkeypatch):
    """Or a group that has not been anywhere would begin behind what came first."""
    with monkeypatch.context() as patched:
        patched.setattr(consumer, "committed", unanswered)
        assert poll(source, consumer, consumer.assign(0), FakeMessage(5)) == []
        assert poll(source, consumer, FakeMessage(6), end_of(7)) == []
    clock.seconds += 5
    assert places(poll(source, consumer, FakeMessage(5))) == [(0, 5)]
    assert consumer.seeks == [(0, 5)]


def test_an_error_of_a_partition_that_waits_is_heeded(source, consumer, monkeypatch):
    monkeypatch.setattr(consumer, "committed", unanswered)
    poll(source, consumer, consumer.assign(0), FakeMessage(5))
    with pytest.raises(UserError, match="read topic posts"):
        poll(source, consumer, FakeMessage(5, code=KafkaError.TOPIC_AUTHORIZATION_FAILED))


def test_a_topic_made_anew_while_nobody_read_is_read_from_its_start(source, consumer):
    """Sent to the committed offset, which is not there, the broker says so and reading begins once more."""
    consumer.committed_offsets = {0: 30}
    assert poll(source, consumer, consumer.assign(0), FakeMessage(0)) == []
    assert places(poll(source, consumer, FakeMessage(0), FakeMessage(1))) == [(0, 0), (0, 1)]


def test_a_partition_waits_until_it_is_known_where_to_begin(source, consumer, clock, monkeypatch):
    """An open transaction keeps the broker from saying it; other partitions go on meanwhile."""
    poll(source, consumer, consumer.assign(0), FakeMessage(0))
    with monkeypatch.context() as patched:
        patched.setattr(consumer, "committed", unanswered)
        assert poll(source, consumer, consumer.assign(1), FakeMessage(5, 1), FakeMessage(6, 1)) == []
        assert consumer.paused == {1}
        source.hold(True)
        source.hold(False)
        assert consumer.paused == {1}
        clock.seconds += 5
        assert places(poll(source, consumer, FakeMessage(1))) == [(0, 1)]
    consumer.committed_offsets = {1: 7}
    assert places(poll(source, consumer, FakeMessage(2))) == [(0, 2)], "it is not asked all the time"
    assert consumer.paused == {1}
    clock.seconds += 5
    assert places(poll(source, consumer, FakeMessage(7, 1))) == [(1, 7)]
    assert consumer.paused == set()
    assert consumer.seeks == [(1, 7)]


def test_a_partition_that_goes_while_it_waits_is_forgotten(source, consumer, clock, monkeypatch):
    monkeypatch.setattr(consumer, "committed", unanswered)
    poll(source, consumer, consumer.assign(0), FakeMessage(0))
    poll(source, consumer, consumer.revoke(0))
    clock.seconds += 5
    poll(source, consumer)
    assert consumer.seeks == []
