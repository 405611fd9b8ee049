"""What the view makes of trouble, without servers."""

from types import SimpleNamespace

import pytest
from redis.exceptions import NoPermissionError, ResponseError

from nifos_stream.counters.view import CounterView
from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from tests.unit.counters.fakes import FakeAsker, FakeFeed


def a_round(error):
    """The view after a round in which Redis said this."""

    def hold():
        raise error

    view = CounterView(Settings(), Metrics())
    holding = SimpleNamespace(hold=hold, let_go=lambda: None, lost=0)
    view._round(FakeFeed(FakeAsker()), None, holding)
    return view


def test_what_redis_refuses_is_told_and_tried_again():
    health = a_round(ResponseError("WRONGTYPE Operation against a key")).health()
    assert (health.ready, health.detail) == (False, "Redis refused: WRONGTYPE Operation against a key")


def test_a_permission_that_is_missing_ends_the_view():
    with pytest.raises(UserError, match=r"does not let this user count: .*'evalsha'"):
        a_round(NoPermissionError("this user has no permissions to run the 'evalsha' command"))
