import pytest

from nifos_stream.counters.counting import Counting
from nifos_stream.counters.holding import SHORTER_SECONDS, Holding
from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from tests.unit.counters.fakes import FakeAsker, FakeFeed, FakeStore


def holding(store, asker, feed, **clock):
    counting = Counting(store, store.rules, Metrics(), max_events=100)
    return Holding("labelled", feed, counting, store, asker, **clock), counting


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


@pytest.mark.parametrize(("counted_from", "renewed"), [(20, True), (0, False)])
def test_a_shorter_topic_is_counted_anew_only_where_no_older_counts_are_lost(counted_from, renewed):
    asker, store, clock = FakeAsker(begin=20, end=30), FakeStore(begin=counted_from, g1=50), [0.0]
    held, counting = holding(store, asker, FakeFeed(asker), now=lambda: clock[0])
    held.hold()
    assert counting.positions == {}, "a new leader may lag a moment"
    clock[0] = SHORTER_SECONDS
    if renewed:
        held.hold()
        assert (store.named, counting.positions) == (2, {0: 20})
    else:
        with pytest.raises(UserError, match=r"from offset 0 to 50, .* has 20 to 30: .*rebuild --force"):
            held.hold()
        assert (store.named, store.positions) == (1, {1: 50})
