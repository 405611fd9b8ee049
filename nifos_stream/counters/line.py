"""A reader's line to Redis: opened when needed, tried again, asked by what was seen. Knows no question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from nifos_stream.counters import connect
from nifos_stream.counters.at_once import look_at, read_at_once
from nifos_stream.counters.connect import RedisAway
from nifos_stream.counters.look import Call, Look, Mixed, Moved
from nifos_stream.counters.store import Keys
from nifos_stream.errors import Refusal

_Answer = TypeVar("_Answer")
_Plan = TypeVar("_Plan")

_TRIES = 20
_MIXED_WAIT_SECONDS = 0.25
"""Before the next try where a rebuild with other settings has the partitions named one after the other."""
_CLOCK_SECONDS = 1.0
"""How far Redis's clock may be from where it was expected to be."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What Redis said last, and when, by the clock of this machine."""

    look: Look
    at: float


class Line:
    """Reads of the counts of one prefix."""

    def __init__(
        self,
        redis_url: str,
        keys: Keys,
        timezone: str,
        *,
        timeout_seconds: float,
        now: Callable[[], float] | None,
        monotonic: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        """timezone: of the days while nothing is counted. now, monotonic: see `Counts`."""
        self.keys = keys
        self._url = redis_url
        self._timezone = timezone
        self._timeout_seconds = timeout_seconds
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._client: connect.RedisClient | None = None
        self._seen: _Seen | None = None

    def retry(self, ask: Callable[[], _Answer]) -> _Answer:
        """What `ask` answers, asked again while it raises Moved. RedisAway; Mixed when that does not end."""
        mixed: Mixed | None = None
        try:
            for _ in range(_TRIES):
                try:
                    return ask()
                except Moved:
                    continue
                except Mixed as error:
                    mixed = error
                    self._sleep(_MIXED_WAIT_SECONDS)
        except connect.TROUBLE as error:
            raise connect.away(self._url, error) from error
        said = "The counts are being rebuilt faster than they can be read."
        raise mixed or RedisAway(said, Refusal.REBUILT_TOO_FAST)

    def at_once(
        self, name: str, planned: Callable[[Look, float], tuple[_Plan, list[Call]]]
    ) -> tuple[_Plan, Look, list[Sequence[Any]]]:
        """Ask by what was seen last, and see at the same time whether it is still so; if not, Moved.

        planned: what is to be known of the question, and the calls of the script `name` that it needs.
        """
        seen = self._seen
        look = self.look() if seen is None else seen.look
        now = self.time(look) if seen is None else self._expected(seen)
        plan, reads = planned(look, now)
        try:
            fresh, answers = read_at_once(self.client, self.keys, look, name, reads, self._timezone)
            if seen is not None and self._now is None and abs(fresh.now - now) > _CLOCK_SECONDS:
                raise Moved
        except (Moved, Mixed):
            self._seen = None
            raise
        self._seen = _Seen(fresh, self._monotonic())
        return plan, fresh, answers

    def look(self) -> Look:
        """How many partitions there are, and the state of each."""
        return look_at(self.client, self.keys, self._timezone)

    def time(self, look: Look) -> float:
        """The time by which windows end, as of a look."""
        return self._now() if self._now is not None else look.now

    @property
    def client(self) -> connect.RedisClient:
        """The client, connected when it is first used."""
        if self._client is None:
            self._client = connect.client(self._url, self._timeout_seconds)
        return self._client

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _expected(self, seen: _Seen) -> float:
        """The time by now."""
        passed = self._monotonic() - seen.at
        return self._now() if self._now is not None else seen.look.now + passed
