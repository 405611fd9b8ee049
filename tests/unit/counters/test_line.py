import time

import pytest

from nifos_stream.counters.connect import RedisAway
from nifos_stream.counters.line import Line
from nifos_stream.counters.look import Mixed, Moved
from nifos_stream.counters.store import Keys


@pytest.fixture
def waited():
    """Seconds of each wait."""
    return []


@pytest.fixture
def line(waited):
    return Line(
        "redis://127.0.0.1:1/0",
        Keys("p"),
        "UTC",
        timeout_seconds=1.0,
        now=None,
        monotonic=time.monotonic,
        sleep=waited.append,
    )


def answering(*answers):
    """Raises or answers one of these after the other, and then the last one for ever."""
    left = list(answers)

    def ask():
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def test_a_rebuild_that_names_one_partition_after_the_other_is_waited_for(line, waited):
    assert line.retry(answering(Mixed("half"), Mixed("half"), "level")) == "level"
    assert 0 < sum(waited) < 2


def test_a_rebuild_that_died_half_named_is_said(line, waited):
    with pytest.raises(Mixed, match="half rebuilt"):
        line.retry(answering(Mixed("The counts are half rebuilt.")))
    assert 2 < sum(waited) < 10


def test_another_generation_is_asked_at_once(line, waited):
    assert line.retry(answering(Moved(), "new")) == "new"
    assert waited == []


def test_generations_that_change_all_the_time_end_in_a_sentence(line):
    with pytest.raises(RedisAway, match="rebuilt faster than they can be read"):
        line.retry(answering(Moved()))


def test_a_redis_that_is_away_is_said_with_its_address(line):
    with pytest.raises(RedisAway, match=r"did not answer at redis://127\.0\.0\.1:1/0"):
        line.retry(line.look)
