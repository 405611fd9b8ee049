import threading

import pytest

from nifos_stream.model.reading import Reading
from nifos_stream.shadow.sampling import Sampled, Waiting, is_chosen
from tests.unit.stream.fakes import FakeClock

READ = Reading((0.1, 0.2, 0.7), 5)


def sampled(text="숲"):
    return Sampled(text, READ)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def waiting(clock):
    return Waiting(most_texts=3, most_characters=10, now=clock)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_about_the_share_of_the_records_is_chosen_and_always_the_same(share):
    origins = [("posts", partition, offset) for partition in range(4) for offset in range(5000)]
    chosen = [is_chosen(*origin, share) for origin in origins]
    assert sum(chosen) / len(origins) == pytest.approx(share, abs=0.01)
    assert chosen == [is_chosen(*origin, share) for origin in origins]


def test_a_larger_share_holds_the_smaller_one_and_all_is_all():
    for offset in range(1000):
        few, more = is_chosen("posts", 0, offset, 0.1), is_chosen("posts", 0, offset, 0.3)
        assert more or not few
        assert is_chosen("posts", 0, offset, 1.0)


def test_texts_come_out_in_order_and_no_more_are_taken_in_than_there_is_room_for(waiting):
    assert [waiting.offer(sampled(text)) for text in "가나다라"] == [True, True, True, False]
    assert [each.text for each in waiting.take(2, 0)] == ["가", "나"]
    assert waiting.offer(sampled("마"))
    assert [each.text for each in waiting.take(9, 0)] == ["다", "마"]
    assert waiting.take(9, 0) == []


def test_long_texts_take_the_room_of_many(waiting):
    assert waiting.offer(sampled("가" * 8))
    assert not waiting.offer(sampled("나" * 3))
    waiting.take(1, 0)
    assert waiting.offer(sampled("나" * 3))


def test_it_is_quiet_once_all_that_was_taken_is_done(waiting, clock):
    clock.wait(2)
    assert waiting.quiet_seconds() == 2
    waiting.offer(sampled())
    assert waiting.quiet_seconds() == 0
    waiting.take(1, 0)
    clock.wait(5)
    assert waiting.quiet_seconds() == 0
    waiting.done(1)
    clock.wait(1)
    assert waiting.quiet_seconds() == 1


def test_whoever_waits_for_a_text_gets_it_when_it_comes(waiting):
    got = []
    thread = threading.Thread(target=lambda: got.append(waiting.take(5, 10)))
    thread.start()
    waiting.offer(sampled("숲"))
    thread.join(5)
    assert [each.text for each in got[0]] == ["숲"]
