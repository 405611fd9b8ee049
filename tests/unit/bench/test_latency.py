import pytest

from nifos_stream.bench.latency import Waited, lumps, steady_rate
from nifos_stream.errors import UserError


def planted(*batches: tuple[float, int]) -> list[float]:
    """Posts that came in batches: (when, how many), each batch in a poll or two."""
    return [when + (0.004 if number % 2 else 0.0) for when, count in batches for number in range(count)]


def test_a_rate_is_told_by_its_percentiles():
    waited = Waited(10.0, [float(number) for number in range(1, 201)])
    assert waited.facts() == {"p50_ms": 100.0, "p95_ms": 190.0, "p99_ms": 198.0}


def test_posts_of_one_transaction_are_one_lump():
    assert lumps(planted((1.0, 3), (2.0, 2))) == [(1.0, 3), (2.0, 2)]


def test_the_lump_that_holds_the_middle_was_made_before_time_runs():
    """100 posts a second throughout; the middle post is in the fifth lump, whose rest counts for nothing."""
    batches = [(float(number), 100) for number in range(1, 10)]
    assert steady_rate(planted(*batches)) == pytest.approx(100, rel=0.01)


def test_a_slow_beginning_does_not_count():
    slow = [(10.0 * number, 100) for number in range(1, 5)]
    fast = [(40.0 + number, 100) for number in range(1, 6)]
    assert steady_rate(planted(*slow, *fast)) == pytest.approx(100, rel=0.01)


def test_lumps_of_any_size_give_the_rate_at_which_they_were_made():
    """Each was made in the time since the one before."""
    sizes = (50, 400, 100, 300, 80, 120, 250)
    ends = [sum(sizes[: place + 1]) / 200 for place in range(len(sizes))]
    assert steady_rate(planted((0.0, 1100), *zip(ends, sizes, strict=True))) == pytest.approx(200, rel=0.01)


def test_too_few_lumps_tell_no_rate():
    with pytest.raises(UserError, match=r"500 posts are too few to tell a rate.* 2 batches.*--messages"):
        steady_rate(planted((1.0, 100), (2.0, 100), (3.0, 100), (4.0, 100), (5.0, 100)))
