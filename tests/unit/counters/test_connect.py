import re

import pytest
from redis import exceptions

from nifos_stream.counters import connect
from nifos_stream.errors import Refusal, UserError


class FakeServer:
    """Answers CONFIG GET as it was told to."""

    def __init__(self, answer):
        self.answer = answer

    def ping(self):
        return True

    def config_get(self, _name):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "", "redis:/localhost"])
def test_a_url_of_another_kind_is_refused(url):
    with pytest.raises(UserError, match="redis://"):
        connect.client(url)


@pytest.mark.parametrize("url", ["redis://localhost:port/0", "redis+sentinel://localhost:26379"])
def test_a_url_that_cannot_be_read_is_refused(url):
    with pytest.raises(UserError, match="not valid"):
        connect.client(url)


def test_nobody_sees_the_password():
    assert connect.shown("rediss://me:secret@host:6379/0?ssl_cert_reqs=none") == "rediss://host:6379/0"
    with pytest.raises(connect.RedisAway) as told:
        connect.wait_until_ready("redis://:secret@127.0.0.1:1/0", 0.2, 0.0)
    assert "127.0.0.1:1" in str(told.value)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "answer",
    [
        exceptions.AuthenticationError("invalid username-password pair or user is disabled."),
        exceptions.ResponseError("HELLO must be called with the client already authenticated, otherwise …"),
        exceptions.ResponseError("NOAUTH Authentication required."),
    ],
)
def test_a_password_that_is_wrong_or_missing_is_called_so(answer):
    told = connect.away("redis://:secret@host/0", answer)
    assert isinstance(told, connect.LoginRefused)
    assert str(told) == (
        "Redis at redis://host/0 refused the user name or password, or asks for one (NIFOS_REDIS__URL)."
    )
    assert (told.refusal, told.named) == (Refusal.REDIS_LOGIN_REFUSED, {"address": "redis://host/0"})
    assert connect.said_of(answer) == "Redis refused the user name or password, or asks for one"


def test_no_answer_is_no_refused_login():
    told = connect.away("redis://host/0", exceptions.ConnectionError("Error 111 connecting"))
    assert type(told) is connect.RedisAway
    assert told.refusal == Refusal.REDIS_AWAY
    assert told.named == {"address": "redis://host/0", "reason": "Error 111 connecting"}


def test_a_sentinel_url_names_nodes_and_service():
    client = connect.client("redis+sentinel://me:pass%20word@a:1,b/mymaster/3?sentinel_password=s")
    pool = client.connection_pool
    assert pool.service_name == "mymaster"
    nodes = [node.connection_pool.connection_kwargs for node in pool.sentinel_manager.sentinels]
    assert [(node["host"], node["port"], node["password"]) for node in nodes] == [
        ("a", 1, "s"),
        ("b", 26379, "s"),
    ]
    assert pool.connection_kwargs["db"] == 3
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == ("me", "pass word")


@pytest.mark.parametrize(
    "answer",
    [
        {"maxmemory-policy": "allkeys-lru"},
        {"node1": {"maxmemory-policy": "noeviction"}, "node2": {"maxmemory-policy": "volatile-ttl"}},
    ],
)
def test_a_server_that_evicts_is_refused(answer):
    with pytest.raises(UserError, match="noeviction"):
        connect.refuse_eviction(FakeServer(answer))


def test_a_server_that_does_not_is_taken():
    connect.refuse_eviction(FakeServer({"maxmemory-policy": "noeviction"}))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        connect.ResponseError("unknown command 'CONFIG'"),
        connect.NoPermissionError("no permissions to run 'config'"),
    ],
)
def test_where_config_is_forbidden_there_is_a_loud_warning(answer, capsys):
    connect.refuse_eviction(FakeServer(answer))
    assert "noeviction" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (exceptions.ConnectionError("Error 111 connecting"), "Redis does not answer: Error 111 connecting"),
        (exceptions.OutOfMemoryError("command not allowed"), "Redis refused: command not allowed"),
        (exceptions.ResponseError("WRONGTYPE Operation against a key"), "Redis refused: WRONGTYPE Operation"),
        (exceptions.ResponseError("user_script:42: a count is not a number"), ".*a count is not a"),
    ],
)
def test_what_redis_said_is_told(error, said):
    assert re.match(said, connect.said_of(error))


@pytest.mark.parametrize(
    "error",
    [
        exceptions.NoPermissionError("this user has no permissions to run the 'evalsha' command"),
        exceptions.ResponseError("ACL failure in script: u has no permissions to run the 'hset' command"),
        exceptions.ResponseError("The user executing the script can't run this command or subcommand"),
    ],
)
def test_a_permission_that_is_missing_is_for_a_person_to_mend(error):
    with pytest.raises(UserError, match=r"Redis does not let this user count: .* run "):
        connect.said_of(error)
