"""What the rules found, over HTTP."""

import pytest
from starlette.testclient import TestClient

from nifos_stream.counters.reader import RedisAway
from nifos_stream.settings import Settings
from nifos_stream.watch.api import create_app
from tests.unit.alerts.made import made_alert
from tests.unit.watch.test_api import Made


class MadeShelf:
    def __init__(self):
        self.asked = []
        self.away = False

    def read(self, state, limit):
        self.asked.append((state, limit))
        if self.away:
            raise RedisAway("Redis did not answer.")
        return [made_alert(2), made_alert(1, ended=True)]

    def close(self):
        pass


@pytest.fixture
def shelf():
    return MadeShelf()


@pytest.fixture
def client(shelf):
    return TestClient(create_app(Settings(), counts=Made(), shelf=shelf), base_url="http://127.0.0.1:8080")


def test_alerts_are_answered_as_they_stand_on_the_topic(client, shelf):
    answer = client.get("/api/v1/alerts", params={"state": "all", "limit": 20}).json()
    first, second = answer["alerts"]
    assert shelf.asked == [("all", 20)]
    assert list(first) == [
        "id",
        "rule",
        "kind",
        "dimension",
        "value",
        "metric",
        "started_at",
        "ended_at",
        "summary",
        "evidence",
    ]
    assert first["ended_at"] is None
    assert second["ended_at"] == "2026-05-01T09:51:00+09:00"
    assert first["evidence"]["posts"] == [{"id": "1", "text": "산불이 무섭다"}]


def test_open_ones_are_asked_for_unless_all_are(client, shelf):
    client.get("/api/v1/alerts")
    assert shelf.asked == [("open", 50)]


@pytest.mark.parametrize("asked", [{"state": "ended"}, {"limit": 0}, {"limit": 501}])
def test_what_cannot_be_asked_is_a_problem(client, asked):
    assert client.get("/api/v1/alerts", params=asked).status_code == 400


def test_redis_away_is_a_503_to_try_again(client, shelf):
    shelf.away = True
    answer = client.get("/api/v1/alerts")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
