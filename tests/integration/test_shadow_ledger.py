"""Comparisons added up in Redis by several workers, on Redis 6.2, on the installed one, and on a cluster."""

import datetime as dt
import uuid

import pytest

from nifos_stream.counters import connect
from nifos_stream.shadow.comparison import Compared
from nifos_stream.shadow.ledger import KEPT, Ledger

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
OLD, NEW, NEWER = Compared("old", "1" * 12), Compared("new", "2" * 12), Compared("newer", "3" * 12)


@pytest.fixture
def ledgers(redis_url):
    """Makes ledgers, each with a connection of its own, under a prefix that no other test has."""
    prefix, made = f"nifos-{uuid.uuid4().hex[:8]}", []

    def make():
        made.append(Ledger(lambda: connect.client(redis_url), prefix))
        return made[-1]

    yield make
    for ledger in made:
        ledger.close()


def test_what_several_workers_add_is_read_as_one(ledgers):
    one, other = ledgers(), ledgers()
    one.add(OLD, NEW, {"said:positive:positive": 3, "difference": 0.25, "first:seconds": 0.5}, NOW)
    other.add(OLD, NEW, {"said:positive:positive": 4, "said:negative:positive": 1}, NOW + dt.timedelta(1))
    one.add(OLD, NEW, {"difference": 0.5, "dropped": 2}, NOW)
    (found,) = ledgers().read()
    assert (found.first, found.shadow) == (OLD, NEW)
    assert (found.since, found.until) == (NOW, NOW)
    assert (found.texts, found.agreement, found.dropped) == (8, 7 / 8, 2)
    assert found.mean_difference == pytest.approx(0.75 / 8)


def test_comparisons_stand_apart_and_the_latest_comes_first(ledgers):
    ledger = ledgers()
    for days, shadow in ((2, NEW), (3, NEWER), (1, OLD)):
        ledger.add(OLD, shadow, {"dropped": days}, NOW + dt.timedelta(days))
    assert [(each.shadow, each.dropped) for each in ledger.read()] == [(NEWER, 3), (NEW, 2), (OLD, 1)]


def test_nothing_added_is_nothing_read(ledgers):
    assert ledgers().read() == []


def test_an_old_comparison_is_forgotten_and_so_are_its_keys(ledgers):
    ledger = ledgers()
    ledger.add(OLD, NEW, {"dropped": 1}, NOW)
    ledger.add(OLD, NEWER, {"dropped": 1}, NOW + KEPT + dt.timedelta(1))
    assert [each.shadow for each in ledger.read()] == [NEWER]
    client = ledger._connected()
    for key in (ledger._begin + "pairs", f"{ledger._begin}{OLD.revision}:{NEWER.revision}"):
        assert 0 < client.ttl(key) <= KEPT.total_seconds()
