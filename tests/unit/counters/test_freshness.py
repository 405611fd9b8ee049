"""What the view learns once a second, without servers."""

import pytest

from nifos_stream.counters.freshness import Sampler
from nifos_stream.counters.store import Level
from nifos_stream.metrics import Metrics
from tests.unit.counters.fakes import FakeAsker


class FakeStore:
    """Says of partition 0 that it is counted up to `position`; None when Redis knows nothing of it."""

    def __init__(self, position):
        self.position = position

    def sample(self, *_):
        return None if self.position is None else Level(self.position, None, 0.0)

    def note_topic(self, *_):
        pass

    def note_backlog(self, *_):
        pass


def sampler(store, counted, owned=frozenset({0})):
    asker = FakeAsker(end=10)
    asker.committed = lambda _group, _topic, partitions: dict.fromkeys(partitions, 0)
    return Sampler(
        store,
        asker,
        "sentiment",
        lambda: owned,
        Metrics(),
        counted=lambda: counted,
        classified=("posts", "group"),
        silence_seconds=60.0,
    )


def slipped(position, counted):
    sampled = sampler(FakeStore(position), counted)
    sampled.sample()
    return sampled.slipped()


def test_a_position_that_redis_lost_or_has_an_older_one_of_has_slipped():
    assert slipped(None, {0: 7}) == {0}
    assert slipped(6, {0: 7}) == {0}


def test_a_position_that_is_there_or_further_on_has_not():
    assert slipped(7, {0: 7}) == frozenset()
    assert slipped(9, {0: 7}) == frozenset()


def test_what_is_not_held_cannot_slip():
    assert slipped(None, {}) == frozenset()


def test_what_slipped_is_told_once():
    sampled = sampler(FakeStore(None), {0: 7})
    sampled.sample()
    assert [sampled.slipped(), sampled.slipped()] == [{0}, frozenset()]


def test_what_is_counted_while_redis_is_asked_has_not_slipped():
    counted = {0: 7}
    store = FakeStore(7)
    answer = store.sample
    store.sample = lambda *asked: (counted.update({0: 9}), answer(*asked))[1]
    sampled = sampler(store, {})
    sampled._counted = lambda: dict(counted)
    sampled.sample()
    assert sampled.slipped() == frozenset()


@pytest.mark.parametrize(("position", "level"), [(9, False), (10, True), (None, False)])
def test_without_a_share_it_is_level_when_the_others_have_counted_everything(position, level):
    sampled = sampler(FakeStore(position), {}, owned=frozenset())
    assert not sampled.reached({})
    sampled.sample()
    assert sampled.reached({}) is level


def test_a_share_that_goes_leaves_nobody_level_until_all_was_asked_for():
    owned = {0}
    sampled = sampler(FakeStore(10), {0: 10}, owned=owned)
    sampled.sample()
    assert sampled.reached({0: 10})
    owned.clear()
    assert not sampled.reached({0: 10})
    sampled.sample()
    assert sampled.reached({0: 10})
