"""Stages run side by side; a signal, a failure or idleness ends them all."""

import gc
import sys
import threading

import pytest

from nifos_stream.errors import BrokerUnavailable
from nifos_stream.metrics import Metrics
from nifos_stream.service import Service
from nifos_stream.stage import Health


class FakeStage:
    """A stage that is idle for as long as it is told, and may fail."""

    def __init__(self, name, idle=0.0, failure=None):
        self.name = name
        self.idle = idle
        self.failure = failure
        self.stopped = False

    def run(self, stop):
        if self.failure is not None:
            raise self.failure
        stop.wait()
        self.stopped = True

    def idle_seconds(self):
        return self.idle

    def health(self):
        return Health(ok=True, ready=True, detail="")


def test_stages_end_once_all_have_been_idle_for_long_enough():
    stages = [FakeStage("a", idle=5), FakeStage("b", idle=6)]
    Service(stages, Metrics(), until_idle_seconds=5).run()
    assert all(stage.stopped for stage in stages)


@pytest.mark.parametrize("limit_seconds", [0, 1])
def test_one_busy_stage_keeps_all_running(limit_seconds):
    stop = threading.Event()
    stages = [FakeStage("a", idle=99), FakeStage("b", idle=0)]
    service = Service(stages, Metrics(), until_idle_seconds=limit_seconds, stop=stop)
    thread = threading.Thread(target=service.run)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_the_failure_of_one_stage_ends_the_others_and_is_raised():
    other = FakeStage("other")
    with pytest.raises(BrokerUnavailable):
        Service([FakeStage("bad", failure=BrokerUnavailable("gone")), other], Metrics()).run()
    assert other.stopped


def test_the_interpreter_is_as_before_once_the_service_has_ended():
    """Whoever embeds it, or is measured beside it, goes on with the interval and thresholds that it had."""
    seen = []

    class Noting(FakeStage):
        def run(self, stop):
            assert not stop.is_set()
            seen.append((sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()))

    before = sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()
    Service([Noting("noting")], Metrics()).run()
    interval_seconds, (objects, *others), frozen = seen[0]
    assert interval_seconds == pytest.approx(0.001)
    assert (objects, *others) == (20_000, *before[1][1:])
    assert frozen > 0
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count()) == before
