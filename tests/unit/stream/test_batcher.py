import pytest

from nifos_stream.stream.batcher import Batcher, Pace
from tests.unit.stream.fakes import row


def batcher(clock, *, most=4, max_bytes=10_000, max_wait_seconds=0.0):
    return Batcher(
        pace=Pace(seconds=2, most=most), max_bytes=max_bytes, max_wait_seconds=max_wait_seconds, now=clock
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


@pytest.mark.parametrize(
    ("passes", "fits"),
    [
        pytest.param([(64, 0.064)], 128, id="a fast model gets twice as many next"),
        pytest.param([(64, 0.064)] * 9, 128, id="small batches say little of large ones"),
        pytest.param([(64, 0.064), (128, 0.128), (256, 0.256), (512, 0.512)], 1000, id="until the most"),
        pytest.param([(64, 6.4)], 20, id="a slow model gets fewer at once"),
        pytest.param([(1, 60.0)], 1, id="but always one"),
        pytest.param([(0, 0.0)], 64, id="a batch without text says nothing"),
    ],
)
def test_a_batch_takes_about_as_long_as_it_should(passes, fits):
    pace = Pace(seconds=2, most=1000)
    for posts, seconds in passes:
        pace.measured(posts, seconds)
    assert pace.posts == fits


@pytest.mark.parametrize(
    ("posts_per_second", "first"),
    [(100.0, 100), (0.1, 1), (1e6, 1000)],
)
def test_the_first_batch_takes_half_the_time_that_it_may(posts_per_second, first):
    pace = Pace(seconds=2, most=1000)
    pace.expect(posts_per_second)
    assert pace.posts == first


def test_a_batch_is_never_larger_than_the_settings_say():
    assert Pace(seconds=2, most=10).posts == 10
