"""Where comparisons are added up: in Redis, so that several workers add to one and any process reads it.

  {nifos:shadow}:pairs           sorted set: FIRST:SHADOW, two revisions, by the time of the latest writing
  {nifos:shadow}:FIRST:SHADOW    hash: the numbers of their comparison, the models' names, since, until (ms)

They have nothing to do with the counts: no position lies beside them and nothing is promised of them. A call
whose answer was lost may be added twice, and a worker that is killed takes its last second along; of a sample
that changes nothing.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from nifos_stream.counters.connect import RedisClient
from nifos_stream.shadow.comparison import Compared, Comparison

KEPT = dt.timedelta(days=90)
"""How long a comparison is kept after its latest writing."""
_WORDS = ("first", "shadow", "since", "until")


class Ledger:
    """The comparisons under a prefix. connect: makes the client, when it is needed first."""

    def __init__(self, connect: Callable[[], RedisClient], prefix: str) -> None:
        self._connect = connect
        self._client: RedisClient | None = None
        self._begin = f"{{{prefix}:shadow}}:"

    def add(self, first: Compared, shadow: Compared, numbers: Mapping[str, float], now: dt.datetime) -> None:
        """Add numbers to those of two models. One of connect.TROUBLE when Redis is away."""
        pair, now_ms = f"{first.revision}:{shadow.revision}", _milliseconds(now)
        key, pairs = self._begin + pair, f"{self._begin}pairs"
        with self._connected().pipeline(transaction=True) as call:
            for name, number in numbers.items():
                call.hincrbyfloat(key, name, number)
            call.hset(key, mapping={"first": first.name, "shadow": shadow.name, "until": now_ms})
            call.hsetnx(key, "since", now_ms)
            call.expire(key, KEPT)
            call.zadd(pairs, {pair: now_ms})
            call.expire(pairs, KEPT)
            call.zremrangebyscore(pairs, "-inf", _milliseconds(now - KEPT))
            call.execute()

    def read(self) -> list[Comparison]:
        """Return the comparisons, the latest first. One of connect.TROUBLE when Redis is away."""
        client = self._connected()
        pairs = client.zrange(f"{self._begin}pairs", 0, -1, desc=True)
        return [_comparison(pair, stored) for pair in pairs if (stored := client.hgetall(self._begin + pair))]

    def close(self) -> None:
        """Let go of the client."""
        if self._client is not None:
            self._client.close()

    def _connected(self) -> RedisClient:
        if self._client is None:
            self._client = self._connect()
        return self._client


def _comparison(pair: str, stored: Mapping[str, Any]) -> Comparison:
    first, _, shadow = pair.partition(":")
    return Comparison(
        Compared(str(stored["first"]), first),
        Compared(str(stored["shadow"]), shadow),
        _moment(stored["since"]),
        _moment(stored["until"]),
        {name: float(number) for name, number in stored.items() if name not in _WORDS},
    )


def _milliseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(milliseconds) / 1000, dt.UTC)
