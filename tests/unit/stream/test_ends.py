from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError

from nifos_stream.stream.ends import Ends
from tests.unit.stream.fakes import error


class FakeAdmin:
    def __init__(self):
        self.asked = []
        self.refreshed = 0
        self.away = False

    def list_offsets(self, wanted, **_how):
        futures = {place: Future() for place in wanted}
        self.asked.append(futures)
        return futures

    def answer(self, starts, ends):
        for futures, offset in zip(self.asked[-2:], (starts, ends), strict=True):
            for future in futures.values():
                future.set_result(SimpleNamespace(offset=offset))

    def fail(self):
        for futures in self.asked[-2:]:
            for future in futures.values():
                future.set_exception(error(KafkaError.FENCED_LEADER_EPOCH))

    def list_topics(self, _topic, **_how):
        if self.away:
            raise error(KafkaError._TRANSPORT)
        self.refreshed += 1


@pytest.fixture
def admin():
    return FakeAdmin()


@pytest.fixture
def asked():
    return []


@pytest.fixture
def ends(admin, clock, asked):
    return Ends(admin, "posts", on_ask=lambda: asked.append(clock()), now=clock)


def test_nobody_waits_for_the_answer(ends, admin, clock, asked):
    assert ends.look([0, 1]) is None
    assert ends.look([0, 1]) is None
    admin.answer(starts=3, ends=9)
    answer = ends.look([0, 1])
    assert answer.starts == {0: 3, 1: 3}
    assert answer.ends == {0: 9, 1: 9}
    assert asked == [clock()]


def test_it_is_asked_once_a_second(ends, admin, clock, asked):
    for _ in range(30):
        ends.look([0])
        if admin.asked:
            admin.answer(0, 0)
            admin.asked.clear()
        clock.seconds += 0.1
    assert len(asked) == 3


def test_an_answer_ends_the_silence(ends, admin, clock):
    ends.look([0])
    clock.seconds += 3
    assert ends.silent_seconds == 3
    admin.answer(0, 0)
    ends.look([0])
    assert ends.silent_seconds == 0


def test_new_leaders_are_learnt_after_a_failure(ends, admin, clock):
    """librdkafka would go on with the epochs of the leaders before the restart."""
    ends.look([0])
    clock.seconds += 20
    admin.fail()
    assert ends.look([0]) is None
    assert admin.refreshed == 1
    assert ends.silent_seconds == 0, "an answer all the same"


def test_silence_lasts_while_the_broker_is_away(ends, admin, clock):
    admin.away = True
    for _ in range(3):
        ends.look([0])
        clock.seconds += 10
        admin.fail()
        ends.look([0])
    assert ends.silent_seconds == 30
    assert ends.answering_seconds == 0
    admin.away = False
    ends.look([0])
    admin.fail()
    ends.look([0])
    clock.seconds += 2
    assert ends.answering_seconds == 2
