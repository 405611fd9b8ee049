from types import SimpleNamespace

import pytest

from nifos_stream.errors import BrokerUnavailable, PoisonStorm
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.stream.ends import Answer
from nifos_stream.stream.gauges import Gauges
from nifos_stream.stream.lookout import Lookout
from nifos_stream.stream.ownership import Ownership
from nifos_stream.stream.source import Standing
from nifos_stream.stream.storm import Storm
from nifos_stream.stream.trimming import Trimming
from tests.unit.stream.fakes import metadata


class World:
    """Two partitions at their ends, committed, with a broker that answers."""

    def __init__(self, clock, *, until_idle=False):
        self.clock = clock
        self.metrics = Metrics()
        self.standings = {0: Standing(5, True), 1: Standing(9, True)}
        self.source = SimpleNamespace(
            standings=self.standings,
            settled=lambda _seconds: self.is_settled,
            committed=lambda _partitions: self.group_stands,
        )
        self.group_stands = {0: 5, 1: 9}
        self.is_settled = True
        self.ownership = Ownership(handover_seconds=10, now=clock)
        self.ownership.assigned([0, 1], metadata())
        self.ownership.learn_committed({0: 5, 1: 9})
        self.answer = None
        self.asked_of = []
        self.ends = SimpleNamespace(look=self._ask, silent_seconds=0.0, answering_seconds=100.0)
        self.trimming = Trimming()
        self.storm = Storm(ratio=0.9, window=10, accept_bad=False)
        self.lookout = Lookout(
            Settings(),
            partitions=2,
            source=self.source,
            ownership=self.ownership,
            ends=self.ends,
            trimming=self.trimming,
            storm=self.storm,
            gauges=Gauges(self.metrics, batch_posts=100),
            metrics=self.metrics,
            until_idle=until_idle,
            now=clock,
        )

    def _ask(self, partitions):
        self.asked_of.append(set(partitions))
        return self.answer

    def look(self, *, busy=False, after=1.0):
        self.clock.seconds += after
        return self.lookout.look(busy=busy)

    def value(self, name, **labels):
        return self.metrics.registry.get_sample_value(f"nifos_{name}", labels)


@pytest.fixture
def world(clock):
    return World(clock)


def test_a_stage_at_the_end_of_everything_is_idle(world):
    world.look()
    assert world.look(after=3) == {}
    assert world.lookout.idle_seconds() == 3


@pytest.mark.parametrize(
    "something",
    [
        pytest.param(lambda world: world.standings[1].__setattr__("at_end", False), id="more may come"),
        pytest.param(lambda world: world.standings[1].__setattr__("position", 10), id="an end to commit"),
        pytest.param(lambda world: setattr(world, "is_settled", False), id="no share yet"),
        pytest.param(lambda world: setattr(world.ends, "silent_seconds", 11), id="no broker"),
        pytest.param(lambda world: world.storm.count([True] * 10), id="a storm"),
    ],
)
def test_a_stage_is_not_idle_while_there_is_something(world, something):
    world.look()
    something(world)
    world.look()
    assert world.lookout.idle_seconds() == 0


def test_a_busy_stage_is_not_idle(world):
    world.look()
    world.look(busy=True)
    assert world.lookout.idle_seconds() == 0


def test_a_worker_without_partitions_is_idle_once_the_group_is_done(world):
    world.standings.clear()
    world.answer = Answer(starts={0: 0, 1: 0}, ends={0: 5, 1: 10})
    world.look()
    world.look(after=2)
    assert world.lookout.idle_seconds() == 0, "another worker's share may become its own"
    world.group_stands = {0: 5, 1: 10}
    world.look()
    world.look(after=2)
    assert world.lookout.idle_seconds() == 2


def test_a_worker_without_partitions_asks_of_all_of_them(world):
    """It wants to know, too, whether the broker is there."""
    del world.standings[1]
    world.look()
    world.standings.clear()
    world.look()
    assert world.asked_of == [{0}, {0, 1}]


def test_an_answer_of_the_partitions_that_went_says_nothing_of_the_group(world):
    world.answer = Answer(starts={0: 0}, ends={0: 5})
    world.look()
    world.standings.clear()
    world.look()
    assert world.look(after=1) == {}
    assert world.lookout.idle_seconds() == 0


def test_a_worker_that_lost_its_partitions_is_not_idle_because_it_was(world):
    world.look()
    world.standings.clear()
    world.look()
    assert world.lookout.idle_seconds() == 0


def test_without_an_answer_where_the_group_stands_nobody_is_idle(world):
    world.standings.clear()
    world.answer = Answer(starts={0: 0, 1: 0}, ends={0: 0, 1: 0})
    world.group_stands = None
    world.look()
    assert world.lookout.idle_seconds() == 0
    world.group_stands = {}
    world.look()
    world.look(after=1)
    assert world.lookout.idle_seconds() == 1, "nothing is there"


def test_an_end_behind_markers_is_committed_once_it_is_quiet(world):
    world.standings[1].position = 10
    world.look(busy=True)
    assert world.look(after=0.1) == {}
    assert world.look(after=0.5) == {1: 10}


def test_the_end_of_a_partition_never_committed_is_committed(world):
    world.ownership.assigned([1], metadata())
    assert world.look() == {1: 9}


def test_lag_counts_what_is_not_committed_and_reaches_0(world):
    world.answer = Answer(starts={0: 0, 1: 0}, ends={0: 5, 1: 30})
    world.look()
    assert world.value("lag_messages", partition="0") == 0
    assert world.value("lag_messages", partition="1") == 21
    assert world.value("partitions_owned") == 2


def test_lag_of_a_partition_that_is_gone_is_not_shown(world):
    world.answer = Answer(starts={0: 0, 1: 0}, ends={0: 5, 1: 30})
    world.look()
    del world.standings[1]
    world.look()
    assert world.value("lag_messages", partition="1") is None


def test_deleted_posts_turn_health_red(world):
    world.trimming.skipped(0, 1, 4)
    world.trimming.asking()
    world.answer = Answer(starts={0: 4, 1: 0}, ends={0: 5, 1: 9})
    world.look()
    health = world.lookout.health()
    assert not health.ok
    assert "deleted" in health.detail
    assert health.ready, "reading goes on"
    assert world.value("posts_lost_total") == 3


def test_a_model_that_fails_turns_health_red(world):
    world.look()
    assert world.lookout.health().ok
    world.lookout.model_failed()
    assert not world.lookout.health().ok


def test_a_storm_says_what_to_do(world):
    world.storm.count([True] * 10)
    world.look()
    health = world.lookout.health()
    assert not health.ok
    assert not health.ready
    assert "100% of the last 10000 messages of nifos.posts are bad" in health.detail
    assert "--accept-bad" in health.detail
    assert world.value("poison_storm") == 1


def test_a_storm_ends_a_worker_that_was_to_end_when_idle(clock):
    world = World(clock, until_idle=True)
    world.storm.count([True] * 10)
    with pytest.raises(PoisonStorm):
        world.look()


def test_a_stage_is_ready_while_the_broker_answers(world):
    assert not world.lookout.health().ready
    world.look()
    assert world.lookout.health().ready
    world.ends.silent_seconds = 30
    world.look()
    assert not world.lookout.health().ready
    assert world.lookout.health().ok


def test_a_broker_that_stays_away_ends_the_worker(world):
    world.ends.silent_seconds = 121
    with pytest.raises(BrokerUnavailable, match="121 s"):
        world.look()
