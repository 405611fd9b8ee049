import pytest

from nifos_stream.counters.counting import Counting, Held
from nifos_stream.counters.rebuilder import Rebuilder
from nifos_stream.counters.store import Why
from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from tests.unit.counters.fakes import FakeAsker, FakeFeed, FakeStore, settings


def rebuilder(store, asker, force=False, **clock):
    feed = FakeFeed(asker, range(100))
    counting = Counting(store, store.rules, Metrics(), max_events=100, rebuilding=True)
    return Rebuilder(settings(), feed, counting, store, asker, force=force, **clock), feed


def finish(rebuilding):
    for _ in range(10):
        if rebuilding.finished:
            return
        rebuilding.step()
    raise AssertionError("the rebuild does not end")


def test_a_generation_is_filled_and_named():
    store = FakeStore(g1=50)
    rebuilding, _ = rebuilder(store, FakeAsker(end=50))
    finish(rebuilding)
    assert (store.named, store.positions[2], rebuilding.fraction) == (2, 50, 1.0)


def test_what_the_topic_loses_in_the_middle_ends_a_rebuild_unless_forced():
    """The topic's retention goes on while its oldest records are being read."""
    for force in (False, True):
        store, asker = FakeStore(g1=50), FakeAsker(end=50)
        rebuilding, feed = rebuilder(store, asker, force)
        feed.read = lambda *_: []
        rebuilding.step()
        del feed.read
        asker.begin = 20
        if force:
            finish(rebuilding)
            assert (store.named, store.positions[2]) == (2, 50)
        else:
            with pytest.raises(UserError, match="lost 20 records"):
                finish(rebuilding)
            assert store.named == 1


def test_a_rebuild_that_another_one_overtook_ends():
    store = FakeStore(g1=50)
    rebuilding, _ = rebuilder(store, FakeAsker(end=50))
    store.apply = lambda *_, **__: Why.OLDER
    finish(rebuilding)
    assert rebuilding.events == 0


def test_a_rebuild_that_one_with_other_settings_overtook_says_so():
    store = FakeStore(g1=50)
    rebuilding, _ = rebuilder(store, FakeAsker(end=50))
    store.apply = lambda *_, **__: Why.OLDER
    store.state = lambda _: {"named": "3", "3:offset": "9", "3:topic": "id", "3:fingerprint": "other"}
    with pytest.raises(UserError, match="other settings"):
        finish(rebuilding)


def test_what_was_counted_of_a_topic_that_is_shorter_now_is_given_up_when_forced():
    """No new counts would ever be level with the old ones."""
    store = FakeStore(g1=50)
    rebuilding, _ = rebuilder(store, FakeAsker(begin=20, end=30), force=True)
    finish(rebuilding)
    assert (store.named, store.positions[2]) == (2, 30)


def test_partitions_are_named_together_once_all_are_level():
    """Those of different rules cannot be read together."""
    store, asker = FakeStore(g1=50, g2=50), FakeAsker(end=50)
    store.named = 1
    rebuilding, feed = rebuilder(store, asker)
    feed.owned = frozenset({0, 1})
    rebuilding._targets = {0: 50, 1: 50}
    rebuilding._counting.held = {0: Held(2, "id", 50), 1: Held(2, "id", 10)}
    rebuilding._name_level()
    assert store.named == 1
    rebuilding._counting.held[1] = Held(2, "id", 50)
    asker.end = 1000
    rebuilding._name_level()
    assert (store.named, rebuilding._targets) == (1, {0: 1000, 1: 1000}), "the topic grew meanwhile"
    rebuilding._counting.held = {0: Held(2, "id", 1000), 1: Held(2, "id", 1000)}
    rebuilding._name_level()
    assert (store.named, rebuilding.finished) == (2, True)


def test_a_rebuild_that_waits_for_the_last_partition_gives_a_sign_of_life():
    clock, store = [0.0], FakeStore(g1=50)
    rebuilding, feed = rebuilder(store, FakeAsker(end=50), now=lambda: clock[0])
    feed.owned = frozenset({0, 1})
    rebuilding._targets = {0: 50, 1: 50}
    rebuilding._counting.held = {0: Held(1, "id", 50)}
    applied = []
    store.apply = lambda *call, **how: applied.append((call[0], call[3].end, how))
    clock[0] = 31.0
    rebuilding._name_level()
    assert applied == [(0, 50, {"rebuilding": True})]
