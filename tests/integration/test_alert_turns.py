"""One worker at a time evaluates, on real Kafka and Redis: one that sleeps through its turn is too late."""

import dataclasses
import signal
import threading
import time

import pytest

from nifos_stream.alerts.evaluator import Evaluator, replay
from nifos_stream.alerts.event import to_event
from nifos_stream.alerts.ledger import Ledger, Mark
from nifos_stream.alerts.machine import Alert, Subject
from nifos_stream.alerts.shelf import Answer, Shelf, Version, shelf_of
from nifos_stream.alerts.shown import Overtaken, Shown
from nifos_stream.errors import BrokerUnavailable, Stopped
from tests.integration.alerted import (
    RULE,
    evaluated_to,
    open_and_ended,
    produce_labelled,
    published,
    recorded,
    written,
)
from tests.integration.counted import viewing
from tests.integration.kafka_tools import wait_until
from tests.integration.workers import WorkerProcess
from tests.unit.alerts.made import SEOUL, made_alert

HOURS = 6
SLEEPY = {
    "session.timeout.ms": 4000,
    "heartbeat.interval.ms": 500,
    # Whoever is not polled for so long loses its turn as one that is stopped does.
    "max.poll.interval.ms": 5000,
}


@pytest.fixture
def settings(make_settings):
    return make_settings(partitions=3, alerts={"rules": (RULE,), "settle_seconds": 1.0})


def alert(minute, ended_at=None):
    evidence = {"from": minute - 300, "to": minute, "number": 0.9, "line": 0.5}
    count = {"negative": 9, "neutral": 0, "positive": 1, "total": 10}
    subject = Subject("mostly-negative", "all", "")
    made = Alert(subject, "negative_share", minute, ended_at, {**evidence, "count": count, "posts": []})
    return to_event(made, "threshold", SEOUL)


def until_its_turn(ledger):
    wait_until(lambda: ledger.my_turn(0.2), what="its turn")


def never():
    return False


def test_a_leader_that_is_stopped_for_longer_than_its_session_says_nothing_when_it_goes_on(settings):
    """Thrice the evaluating worker is stopped until the other one has taken over, and then goes on."""
    now = int(time.time())
    begin = now - now % 60 - HOURS * 3600
    posts = written(begin, HOURS * 60 - 30)
    produce_labelled(settings, posts)
    evaluated_to(settings, begin)
    evaluator = Evaluator(settings.alerts.rules, recorded(posts))
    wanted = {found.id: found for found in replay(evaluator, begin, begin + HOURS * 3600)}
    versions, done = [], threading.Event()
    shelf = shelf_of(settings)
    with viewing(settings) as counters:
        counters.wait_level()
        watcher = threading.Thread(target=watch, args=(settings, versions, done))
        watcher.start()
        workers = [WorkerProcess(settings, "unused", role="alert") for _ in range(2)]
        try:
            for turn in range(3):
                goal = begin + (turn + 1) * HOURS * 700
                wait_until(lambda goal=goal: evaluated_to(settings) >= goal, 120, what="it gets so far")
                leader = wait_until(lambda: next(filter(leads, workers), None), 60, what="one evaluates")
                (other,) = (worker for worker in workers if worker is not leader)
                taken = turns(other).count("alerts.taken_over")
                leader.send(signal.SIGSTOP)
                wait_until(
                    lambda other=other, n=taken: turns(other).count("alerts.taken_over") > n,
                    what="the other takes over",
                )
                ended = turns(leader).count("alerts.turn_ended")
                leader.send(signal.SIGCONT)
                wait_until(
                    lambda leader=leader, n=ended: turns(leader).count("alerts.turn_ended") > n,
                    what="it learns that its turn is over",
                )
            wait_until(lambda: evaluated_to(settings) >= now - now % 60, 120, what="all is evaluated")
        finally:
            done.set()
            watcher.join(30)
            for worker in workers:
                worker.send(signal.SIGCONT)
                worker.stop()
    events = published(settings)
    assert open_and_ended(events) == {(name, ended): 1 for name in wanted for ended in (False, True)}
    for event in events:
        assert event.started_at.timestamp() == wanted[event.id].started_at
        assert event.ended_at is None or event.ended_at.timestamp() == wanted[event.id].ended_at
    # What readers see was written by one turn after another, and none came back.
    assert versions == sorted(versions)
    assert len({version.epoch for version in versions}) >= 4
    assert {shown.id: shown.ended_at for shown in shelf.read("all", 500)} == {
        event.id: event.ended_at for event in events if event.ended_at is not None
    }
    shelf.close()


def turns(worker):
    """What its log says of its turns, in order; one that ended may at once be given back."""
    told = [line["event"] for line in worker.events if line.get("mine", True)]
    return [event for event in told if event in ("alerts.taken_over", "alerts.turn_ended", "alerts.assigned")]


def leads(worker):
    return turns(worker)[-1:] not in ([], ["alerts.turn_ended"])


def watch(settings, versions, done):
    """Every version of what readers see, as it comes."""
    shelf = shelf_of(settings)
    while not done.wait(0.002):
        version = shelf.version()
        if version is not None and versions[-1:] != [version]:
            versions.append(version)
    shelf.close()


def test_whoever_wakes_up_in_the_middle_of_a_minute_can_write_nothing(make_settings):
    settings = make_settings(kafka={"consumer_properties": SLEEPY}, alerts={"rules": (RULE,)})
    evaluated_to(settings, 600)
    shelf, sleeper = shelf_of(settings), Ledger(settings)
    other = None
    try:
        until_its_turn(sleeper)
        slept = sleeper.take_over(0, never)
        assert slept.mark == Mark(600, 1)
        slept_shown = Shown(shelf, slept.events, epoch=slept.mark.epoch, kept=100)
        slept_shown.show_all()
        # It is asked no more, and so loses its turn to the next that comes.
        other = Ledger(settings)
        until_its_turn(other)
        awake = other.take_over(0, never)
        assert (awake.events, awake.mark) == ((), Mark(600, 2))
        shown = Shown(shelf, awake.events, epoch=awake.mark.epoch, kept=100)
        shown.show_all()
        other.publish([alert(660)], dataclasses.replace(awake.mark, evaluated_to=660))
        shown.show([alert(660)])
        for _ in range(2):
            with pytest.raises(BrokerUnavailable):
                sleeper.publish([alert(720)], dataclasses.replace(slept.mark, evaluated_to=720))
        with pytest.raises(Overtaken):
            slept_shown.show([alert(720)])
        with pytest.raises(Overtaken):
            slept_shown.mend()
        # Nor can it begin another turn before it is one.
        with pytest.raises((BrokerUnavailable, Stopped)):
            sleeper.take_over(2, never)
        assert [event.id for event in published(settings)] == [alert(660).id]
        assert evaluated_to(settings) == 660
        assert [shown.id for shown in shelf.read("all", 10)] == [alert(660).id]
    finally:
        shelf.close()
        for ledger in filter(None, (other, sleeper)):
            ledger.close()


def test_an_emptied_redis_is_filled_while_the_same_worker_goes_on(settings, redis_client):
    now = int(time.time())
    begin = now - now % 60 - 3600
    produce_labelled(settings, written(begin, 45))
    evaluated_to(settings, begin)
    shelf = shelf_of(settings)
    with viewing(settings) as counters:
        counters.wait_level()
        worker = WorkerProcess(settings, "unused", role="alert")
        wait_until(lambda: evaluated_to(settings) >= now - now % 60, what="all is evaluated")
        said = {event.id: event.ended_at for event in published(settings)}
        assert said
        for _ in range(2):
            redis_client.delete(*redis_client.keys(f"*{settings.counters.prefix}*"))
            assert shelf.read("all", 100) == []
            wait_until(lambda: shelf.read("all", 100), 10, what="readers see them again")
            assert {event.id: event.ended_at for event in shelf.read("all", 100)} == said
        worker.stop()
        assert turns(worker).count("alerts.taken_over") == 1
    shelf.close()


def test_an_alert_open_over_an_outage_longer_than_the_counts_are_kept_ends(make_settings):
    """Three hours without a worker, of counts by minute that are kept for one."""
    settings = make_settings(
        partitions=3,
        alerts={"rules": (RULE,), "settle_seconds": 1.0},
        counters={"retention": {"minutes_hours": 1, "ten_seconds_hours": 1}},
    )
    now = int(time.time())
    minute = now - now % 60
    before, after = minute - 3 * 3600, minute - 20 * 60
    produce_labelled(settings, [(at, "twitter", "positive") for at in range(after - 3600, minute, 30)])
    evaluated_to(settings, before - 60)
    first = Ledger(settings)
    until_its_turn(first)
    past = first.take_over(0, never)
    first.publish([alert(before)], dataclasses.replace(past.mark, evaluated_to=before))
    first.close()
    with viewing(settings) as counters:
        counters.wait_level()
        worker = WorkerProcess(settings, "unused", role="alert")
        wait_until(lambda: evaluated_to(settings) >= minute, what="it goes on with the present")
        worker.stop()
    assert worker.saw("alerts.minutes_left_out")
    begun, ended = published(settings)
    assert (begun.id, begun.ended_at) == (ended.id, None)
    assert minute - 3600 < ended.ended_at.timestamp() <= minute
    assert "could not be looked at" in ended.summary


def test_a_turn_does_not_begin_once_it_is_told_to_stop(settings):
    evaluated_to(settings, 600)
    ledger = Ledger(settings)
    try:
        until_its_turn(ledger)
        past = ledger.take_over(0, never)
        ledger.publish([alert(660)], past.mark)
        with pytest.raises(Stopped):
            ledger.take_over(0, lambda: True)
        assert ledger.take_over(7, never).mark == Mark(600, 8)
    finally:
        ledger.close()


@pytest.fixture
def shelf(redis_url):
    shelf = Shelf(redis_url, prefix=f"shelf-{time.monotonic_ns()}", timeout_seconds=5.0, kept=2)
    yield shelf
    shelf.close()


def seen(shelf):
    return [(event.id, event.ended_at is not None) for event in shelf.read("all", 10)]


def test_the_shelf_takes_one_edition_after_another_of_the_latest_turn(shelf):
    assert shelf.version() is None
    assert shelf.keep([made_alert(1)], Version(1, 1)) is Answer.OTHER
    assert shelf.keep([made_alert(1)], Version(1, 1), these_are_all=True) is Answer.KEPT
    assert shelf.keep([made_alert(2)], Version(1, 2)) is Answer.KEPT
    assert shelf.keep([made_alert(3)], Version(1, 4)) is Answer.OTHER
    assert shelf.keep([made_alert(3)], Version(2, 3)) is Answer.OTHER
    assert (shelf.version(), len(seen(shelf))) == (Version(1, 2), 2)
    assert shelf.keep([made_alert(1, ended=True)], Version(2, 1), these_are_all=True) is Answer.KEPT
    for stale in (True, False):
        assert shelf.keep([made_alert(5)], Version(1, 3), these_are_all=stale) is Answer.NEWER
    assert (shelf.version(), seen(shelf)) == (Version(2, 1), [(made_alert(1).id, True)])


def test_the_shelf_keeps_the_newest_that_ended_and_all_that_are_open(shelf):
    shelf.keep([made_alert(9)], Version(1, 1), these_are_all=True)
    for edition, number in enumerate((1, 2, 3), 2):
        assert shelf.keep([made_alert(number, ended=True)], Version(1, edition)) is Answer.KEPT
    assert seen(shelf) == [(made_alert(9).id, False), (made_alert(3).id, True), (made_alert(2).id, True)]
