"""A stage that fails is begun again, later and later, and the worker goes on meanwhile."""

import json
import threading
import time

import pytest

from nifos_stream import logs
from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from nifos_stream.service import Service
from nifos_stream.stage import Health
from nifos_stream.supervised import Supervised
from tests.unit.test_service import FakeStage


class Failing:
    """A stage that fails as it is told, in turn, then works until it is stopped."""

    name = "alerts"

    def __init__(self, failures, ran_seconds=0.0):
        self.failures = list(failures)
        self.ran_seconds = ran_seconds
        self.made = 0
        self.seconds = 0.0
        self.works = threading.Event()

    def __call__(self):
        self.made += 1
        return self

    def run(self, stop):
        if self.failures:
            self.seconds += self.ran_seconds
            raise self.failures.pop(0)
        self.works.set()
        stop.wait()

    def idle_seconds(self):
        return 7.0

    def health(self):
        return Health(ok=True, ready=True, detail="evaluating")


class Waiting(threading.Event):
    """A stop that is never waited for, and remembers for how long it was to be."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        if timeout is None:
            return super().wait()
        self.waits.append(timeout)
        return False


def supervised(stage, metrics=None):
    return Supervised(stage, metrics or Metrics(), now=lambda: stage.seconds, chance=lambda: 1.0)


def run_until_it_works(stage, begun):
    stop = Waiting()
    thread = threading.Thread(target=begun.run, args=(stop,))
    thread.start()
    assert stage.works.wait(5)
    seen = begun.health()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    return stop.waits, seen


def test_it_is_begun_again_after_waits_that_grow_up_to_a_minute():
    stage, metrics = Failing([UserError("No.")] * 8), Metrics()
    waits, seen = run_until_it_works(stage, supervised(stage, metrics))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert stage.made == 9
    assert seen == Health(True, True, "evaluating (begun again; it had failed: No.)")
    assert metrics.registry.get_sample_value("nifos_stage_restarts_total", {"stage": "alerts"}) == 8


def test_one_that_had_run_for_long_waits_little():
    stage = Failing([UserError("No.")] * 3, ran_seconds=300.0)
    assert run_until_it_works(stage, supervised(stage))[0] == [1, 1, 1]


def test_it_tells_of_its_failure_until_it_has_been_well_for_long_and_never_turns_health_red():
    stage = Failing([UserError("No.")] * 30, ran_seconds=60.0)
    begun = supervised(stage)
    _, seen = run_until_it_works(stage, begun)
    assert seen == Health(True, True, "evaluating (begun again; it had failed: No.)")
    stage.seconds += 300
    assert begun.health() == Health(True, True, "evaluating")


@pytest.mark.parametrize(("ok", "ready"), [(False, True), (True, False)])
def test_what_the_stage_itself_finds_wrong_is_told_and_restarts_no_worker(ok, ready):
    stage, metrics = Failing([]), Metrics()
    stage.health = lambda: Health(ok, ready, "no rule was evaluated for 20 min")
    assert supervised(stage, metrics).health() == Health(True, True, "no rule was evaluated for 20 min")
    assert metrics.registry.get_sample_value("nifos_stage_well", {"stage": "alerts"}) == ok


def test_what_fails_first_in_the_making_ends_the_worker():
    def make():
        raise UserError("The address is wrong.")

    with pytest.raises(UserError):
        Supervised(make, Metrics())


def test_the_others_go_on_and_a_stop_in_the_wait_ends_at_once():
    other, stage = FakeStage("classify"), Failing([UserError("Kafka says no.")] * 1000)
    metrics, stop = Metrics(), threading.Event()
    begun = Supervised(stage, metrics, chance=lambda: 1.0)
    assert metrics.registry.get_sample_value("nifos_stage_well", {"stage": "alerts"}) == 1
    service = Service([other, begun], Metrics(), stop=stop)
    thread = threading.Thread(target=service.run)
    thread.start()
    deadline = time.monotonic() + 5
    while "failed" not in begun.health().detail and time.monotonic() < deadline:
        time.sleep(0.01)
    assert begun.health() == Health(True, True, "It failed and is begun again soon: Kafka says no.")
    assert metrics.registry.get_sample_value("nifos_stage_well", {"stage": "alerts"}) == 0
    assert thread.is_alive()
    assert not other.stopped
    stopped_at = time.monotonic()
    stop.set()
    thread.join(5)
    assert other.stopped
    assert time.monotonic() - stopped_at < 0.5


@pytest.mark.parametrize(
    ("failure", "is_mistake"), [(KeyError("from"), True), (UserError("Kafka says no."), False)]
)
def test_a_mistake_in_the_program_is_shown_where_it_is(failure, is_mistake, capsys):
    logs.configure("json")
    stage = Failing([failure])
    run_until_it_works(stage, supervised(stage))
    (line,) = (
        entry
        for entry in map(json.loads, capsys.readouterr().err.splitlines())
        if entry["event"] == "stage.failed"
    )
    assert line["stage"] == "alerts"
    assert line["level"] == "error"
    assert ("Traceback" in line.get("exception", "")) == is_mistake
    assert ("KeyError" in line["error"]) == is_mistake
