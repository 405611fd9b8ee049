import pytest

from nifos_stream.counters.counting import Counting
from nifos_stream.counters.holding import Holding
from nifos_stream.metrics import Metrics
from tests.unit.counters.fakes import FakeAsker, FakeFeed, FakeStore


def holding(store, asker, feed):
    counting = Counting(store, store.rules, Metrics(), max_events=100)
    return Holding("labelled", feed, counting, store, asker), counting


def test_a_partition_is_begun_where_redis_stands_and_the_group_is_told():
    """Else its lag would stay above 0 for as long as there is nothing more to count."""
    asker, store = FakeAsker(end=50), FakeStore(g1=50)
    feed = FakeFeed(asker)
    held, counting = holding(store, asker, feed)
    held.hold()
    assert counting.positions == {0: 50}
    assert feed.committed == [{0: 50}]
    assert held.lost == 0


@pytest.mark.parametrize(("begin", "lost"), [(30, 20), (10, 0)])
def test_what_was_trimmed_before_it_was_counted_is_passed_over_and_told(begin, lost):
    asker, store = FakeAsker(begin=begin, end=50), FakeStore(g1=10)
    feed = FakeFeed(asker)
    held, counting = holding(store, asker, feed)
    held.hold()
    assert counting.positions == {0: begin}
    assert feed.committed == [{0: begin}]
    assert held.lost == lost
