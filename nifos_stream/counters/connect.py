"""A Redis client by URL, and what must be true of the server. Knows nothing of the counts.

redis://, rediss:// and unix:// as redis-py reads them; redis+cluster:// and rediss+cluster:// with any one
node; redis+sentinel://[user:password@]host:port[,host:port…]/service[/db][?sentinel_password=…].
"""

import time
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis import sentinel as redis_sentinel
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from nifos_stream import logs
from nifos_stream.errors import Refusal, UserError

RedisClient: TypeAlias = (
    Any  # redis.Redis or RedisCluster: their stubs differ, what is called on them does not.
)
TROUBLE = (RedisError, RedisClusterException, OSError)
"""What a call raises while Redis is away, full or changing over; a cluster's own error is no RedisError."""
_Sentinel: Any = redis_sentinel.Sentinel  # It ships no types.
SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel")
_log = logs.get(__name__)


class RedisAway(UserError):
    """Redis did not answer in the time given."""


class LoginRefused(RedisAway):
    """Redis refuses the user name or password, or asks for one: a person must mend it, no waiting does."""


def client(url: str, timeout_seconds: float = 5.0) -> RedisClient:
    """A client that answers in text and tries a call once more on a broken connection.

    Only a cluster is connected to at once, with redis's own errors when it is away. UserError when the URL
    is none.
    """
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES or "://" not in url:
        raise UserError(f"The Redis URL must begin with one of {', '.join(f'{s}://' for s in SCHEMES)}.")
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
    }
    try:
        if scheme.endswith("+cluster"):
            return _Cluster.from_url(url.replace("+cluster", "", 1), **options)
        options["retry"] = Retry(NoBackoff(), 1)
        if scheme == "redis+sentinel":
            return _by_sentinel(url, options)
        return redis.Redis.from_url(url, **options)
    except (ValueError, TypeError) as error:
        raise UserError(f"The Redis URL is not valid: {_said(error)}.") from None


class _Cluster(RedisCluster):
    """A cluster; closing it closes the connections to its nodes, whose pools redis-py leaves open."""

    def close(self) -> None:
        super().close()
        self.disconnect_connection_pools()  # type: ignore[no-untyped-call]


class _Watched(redis.Redis):
    """A master that sentinels name; closing it closes the connections to them, too."""

    def close(self) -> None:
        super().close()
        pool: Any = self.connection_pool
        for sentinel in pool.sentinel_manager.sentinels:
            sentinel.close()


def _by_sentinel(url: str, options: dict[str, Any]) -> RedisClient:
    parts = urlsplit(url)
    nodes = []
    for node in parts.netloc.rpartition("@")[2].split(","):
        host, _, port = node.rpartition(":") if ":" in node else (node, "", "26379")
        nodes.append((host.strip("[]"), int(port)))
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("a sentinel URL ends in the name of the service, /service or /service/db")
    password = parse_qs(parts.query).get("sentinel_password", [None])[0]
    timeouts = {name: value for name, value in options.items() if name.startswith("socket")}
    sentinel: Any = _Sentinel(nodes, sentinel_kwargs={"password": password, **timeouts})
    login = {
        name: unquote(value)
        for name, value in (("username", parts.username), ("password", parts.password))
        if value
    }
    return sentinel.master_for(service, redis_class=_Watched, db=int(database or 0), **login, **options)


def wait_until_ready(
    url: str,
    timeout_seconds: float,
    startup_timeout_seconds: float,
    *,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> RedisClient:
    """A client whose server answered and does not evict.

    RedisAway when nothing answers within `startup_timeout_seconds`; UserError when the password is wrong, or
    keys would be evicted.
    """
    deadline = now() + startup_timeout_seconds
    while True:
        try:
            return _checked(client(url, timeout_seconds))
        except TROUBLE as error:
            if _is_login(error):
                raise UserError(str(away(url, error))) from error
            if now() >= deadline:
                raise away(url, error) from error
            sleep(0.5)


def away(url: str, error: Exception) -> RedisAway:
    """One of TROUBLE, said to a person: Redis asks for another password, or did not answer."""
    address, reason = shown(url), _said(error)
    if _is_login(error):
        said = f"Redis at {address} {_REFUSED} (NIFOS_REDIS__URL)."
        return LoginRefused(said, Refusal.REDIS_LOGIN_REFUSED, address=address)
    said = f"Redis did not answer at {address}: {reason} (NIFOS_REDIS__URL)."
    return RedisAway(said, Refusal.REDIS_AWAY, address=address, reason=reason)


_REFUSED = "refused the user name or password, or asks for one"


def _checked(connected: RedisClient) -> RedisClient:
    try:
        refuse_eviction(connected)
    except BaseException:
        connected.close()
        raise
    return connected


def refuse_eviction(connected: RedisClient) -> None:
    """UserError when the server may evict keys: an evicted bucket beside a kept position is a silent loss."""
    connected.ping()
    try:
        # A cluster would ask one of its nodes alone.
        everywhere = {"target_nodes": "primaries"} if isinstance(connected, RedisCluster) else {}
        answer = connected.config_get("maxmemory-policy", **everywhere)
    except NoPermissionError:
        answer = None
    except ResponseError as error:
        if "unknown command" not in str(error).lower():
            raise
        answer = None
    if not answer:
        _log.warning(
            "redis.eviction_unknown",
            detail="CONFIG is forbidden here; make sure that maxmemory-policy is noeviction",
        )
        return
    policies = _policies(answer)
    if policies - {"noeviction"}:
        raise UserError(
            f"Redis evicts keys when it is full (maxmemory-policy {', '.join(sorted(policies))}), which would"
            " lose counts without a word; set it to noeviction."
        )


def _policies(answer: Any) -> set[str]:
    """A cluster answers by node, one server by itself."""
    by_node = [part for part in answer.values() if isinstance(part, dict)]
    return {str(part["maxmemory-policy"]) for part in by_node or [answer]}


def said_of(error: Exception) -> str:
    """What is the matter, of one of TROUBLE, for a person. UserError when the user lacks a permission."""
    if isinstance(error, NoPermissionError) or any(words in str(error) for words in _FORBIDDEN_IN_SCRIPT):
        raise UserError(f"Redis does not let this user count: {_said(error)}.") from error
    if _is_login(error):
        return f"Redis {_REFUSED}"
    if isinstance(error, ResponseError):
        return f"Redis refused: {_said(error)}"
    return f"Redis does not answer: {_said(error)}"


_FORBIDDEN_IN_SCRIPT = ("The user executing the script can't", "ACL failure in script")
"""How Redis up to 7.0, and newer ones, say so of a command within a script."""


def shown(url: str) -> str:
    """The URL without user name, password and options."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


def _is_login(error: Exception) -> bool:
    return isinstance(error, (AuthenticationError, AuthorizationError)) or any(
        words in str(error) for words in _LOGIN_REFUSED
    )


_LOGIN_REFUSED = (
    "WRONGPASS",
    "NOAUTH",
    "invalid password",
    "Authentication required",
    "must be called with the client already authenticated",
)
"""How Redis says so where redis-py has no error of its own for it; the last is its answer to HELLO."""


def _said(error: Exception) -> str:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return first.rstrip(".")
