import pytest

from nifos_stream.counters.look import Look, Mixed
from nifos_stream.counters.reader import Counts


def reading(*looks):
    """Counts that see one of these after the other, and how long they waited in all."""
    waited, left = [], list(looks)

    def look():
        seen = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(seen, Exception):
            raise seen
        return seen

    counts = Counts("redis://127.0.0.1:1/0", sleep=waited.append)
    counts._look = look
    return counts, waited


def test_a_rebuild_that_names_one_partition_after_the_other_is_waited_for():
    counts, waited = reading(Mixed("half"), Mixed("half"), Look.of(None, [], "UTC"))
    assert counts.freshness().behind is None
    assert 0 < sum(waited) < 2


def test_a_rebuild_that_died_half_named_is_said():
    counts, waited = reading(Mixed("The counts are half rebuilt."))
    with pytest.raises(Mixed, match="half rebuilt"):
        counts.freshness()
    assert 2 < sum(waited) < 10
