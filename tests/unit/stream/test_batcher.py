import pytest

from nifos_stream.stream.batcher import Batcher, Pace
from tests.unit.stream.fakes import row


def batcher(clock, *, pace=None, max_posts=4, max_bytes=10_000, max_wait_seconds=0.0):
    return Batcher(
        pace=pace or Pace(seconds=2),
        max_posts=max_posts,
        max_bytes=max_bytes,
        max_wait_seconds=max_wait_seconds,
        now=clock,
    )


def offsets(rows):
    return [each.record.offset for each in rows]


def test_what_is_there_is_taken_at_once(clock):
    """A lonely post does not wait for company."""
    waiting = batcher(clock)
    waiting.add([row(0)])
    assert offsets(waiting.take_if_ready()) == [0]
    assert waiting.take_if_ready() == ()


def test_an_old_post_flushes_a_small_batch(clock):
    """With a maximum wait, a lonely post waits that long and no longer."""
    waiting = batcher(clock, max_wait_seconds=3)
    waiting.add([row(0)])
    assert waiting.take_if_ready() == ()
    clock.seconds += 3
    assert offsets(waiting.take_if_ready()) == [0]


def test_a_full_batch_does_not_wait(clock):
    waiting = batcher(clock, max_wait_seconds=3)
    waiting.add(row(n) for n in range(5))
    assert waiting.full
    assert offsets(waiting.take_if_ready()) == [0, 1, 2, 3]
    assert not waiting.full
    assert len(waiting) == 1
    assert waiting.room == 3


def test_bytes_fill_a_batch_too(clock):
    size = len(row(0).record.value)
    waiting = batcher(clock, max_bytes=2 * size)
    waiting.add(row(n) for n in range(3))
    assert waiting.full
    assert offsets(waiting.take_if_ready()) == [0, 1]


def test_a_post_larger_than_a_batch_goes_alone(clock):
    waiting = batcher(clock, max_bytes=5)
    waiting.add([row(0), row(1)])
    assert offsets(waiting.take_if_ready()) == [0]
    assert offsets(waiting.take_if_ready()) == [1]


def test_rows_of_a_partition_that_is_gone_are_dropped(clock):
    waiting = batcher(clock, max_bytes=200)
    waiting.add([row(0, 0), row(7, 1), row(1, 0), row(8, 1)])
    waiting.drop({1})
    assert not waiting.full
    assert offsets(waiting.take_if_ready()) == [0, 1]


def test_long_posts_fill_a_batch_before_many_are_there(clock):
    length = len(row(0).post.text)
    pace = Pace(seconds=2)
    pace.characters = 2 * length + 1
    waiting = batcher(clock, pace=pace)
    assert waiting.room == max(1, pace.characters // 30)
    waiting.add([row(0)])
    assert waiting.room == 1
    waiting.add([row(1), row(2)])
    assert waiting.full
    assert offsets(waiting.take_if_ready()) == [0, 1]
    assert not waiting.full
    assert offsets(waiting.take_if_ready()) == [2]


def test_a_post_that_takes_longer_than_a_batch_goes_alone(clock):
    pace = Pace(seconds=2)
    pace.characters = 1
    waiting = batcher(clock, pace=pace)
    waiting.add([row(0), row(1)])
    assert offsets(waiting.take_if_ready()) == [0]
    assert offsets(waiting.take_if_ready()) == [1]


@pytest.mark.parametrize(
    ("passes", "fits"),
    [
        pytest.param([(2000, 0.1)], 4000, id="a fast model gets twice as much next"),
        pytest.param([(2000, 0.1)] * 9, 4000, id="small batches say little of large ones"),
        pytest.param([(2000, 0.1), (4000, 0.2), (8000, 0.4), (16000, 0.8)], 32000, id="and so on"),
        pytest.param([(2000, 0.1), (4000, 0.2), (8000, 4.0)], 4000, id="until it takes too long"),
        pytest.param([(2000, 8.0)], 500, id="a slow model gets less at once"),
        pytest.param([(1, 60.0)], 1, id="but always something"),
        pytest.param([(0, 0.0)], 2000, id="a batch without text says nothing"),
    ],
)
def test_a_batch_takes_about_as_long_as_it_should(passes, fits):
    pace = Pace(seconds=2)
    for characters, seconds in passes:
        pace.measured(characters, seconds)
    assert pace.characters == fits


@pytest.mark.parametrize(("characters_per_second", "first"), [(100.0, 100), (0.1, 1), (0.0, 2000)])
def test_the_first_batch_takes_half_the_time_that_it_may(characters_per_second, first):
    pace = Pace(seconds=2)
    pace.expect(characters_per_second)
    assert pace.characters == first
