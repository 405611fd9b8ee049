"""Alerts in Redis, for whoever reads them: a copy of what the alerts topic says. Knows no Kafka.

Keys, all with one hash tag: {nifos:alerts}:events (hash: id, JSON), {nifos:alerts}:open and
{nifos:alerts}:ended (sorted sets: id, by beginning), {nifos:alerts}:version (hash: epoch, edition). With no
version, or another than its writer's last, what is there is not what was written last.
"""

import functools
from collections.abc import Callable, Iterable
from enum import StrEnum
from importlib import resources
from typing import Literal, NamedTuple, TypeVar

from nifos_stream.counters import connect
from nifos_stream.messages import AlertEvent
from nifos_stream.settings import Settings

_Asked = TypeVar("_Asked")
State = Literal["open", "all"]


class Version(NamedTuple):
    """epoch: of the turn in which it was written, later ones have greater ones. edition: counts its calls."""

    epoch: int
    edition: int


class Answer(StrEnum):
    """What became of a call; only KEPT has changed anything."""

    KEPT = "kept"
    OTHER = "other"
    """What is there is not the edition before."""
    NEWER = "newer"
    """A later turn has written."""


class Shelf:
    """The alerts of one prefix. Every call may raise RedisAway. kept: how many ended ones stay."""

    def __init__(self, redis_url: str, *, prefix: str, timeout_seconds: float, kept: int = 1000) -> None:
        self._url = redis_url
        self._timeout_seconds = timeout_seconds
        self._kept = kept
        self._keys = [f"{{{prefix}:alerts}}:{name}" for name in ("events", "open", "ended", "version")]
        self._client: connect.RedisClient | None = None

    def keep(self, events: Iterable[AlertEvent], version: Version, *, these_are_all: bool = False) -> Answer:
        """Add alerts that began or ended, in this order, to the edition before `version`.

        these_are_all: whatever is there, and forget the rest of it.
        """
        arguments: list[str | int] = [self._kept, *version, "all" if these_are_all else "more"]
        for event in events:
            arguments += [event.id, int(event.started_at.timestamp()), int(event.ended_at is not None)]
            arguments.append(event.model_dump_json())
        return Answer(
            self._ask(lambda client: client.eval(_script(), len(self._keys), *self._keys, *arguments))
        )

    def version(self) -> Version | None:
        """Of what is there; None when that is nothing, or its writer had none."""
        *_, place = self._keys
        epoch, edition = self._ask(lambda client: client.hmget(place, ["epoch", "edition"]))
        return None if epoch is None or edition is None else Version(int(epoch), int(edition))

    def read(self, state: State, limit: int) -> list[AlertEvent]:
        """The newest `limit` alerts that are open, or all, the newest first."""
        events, opened, ended, _ = self._keys
        places = [opened] if state == "open" else [opened, ended]

        def ask(client: connect.RedisClient) -> list[AlertEvent]:
            found: list[tuple[str, float]] = []
            for place in places:
                found += client.zrevrange(place, 0, limit - 1, withscores=True)
            ids = [name for name, _ in sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]]
            written = client.hmget(events, ids) if ids else []
            return [AlertEvent.model_validate_json(event) for event in written if event is not None]

        return self._ask(ask)

    def now(self) -> float:
        """Redis's clock, in seconds since 1970."""
        seconds, micros = self._ask(lambda client: client.time())
        return int(seconds) + int(micros) / 1e6

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self, ask: Callable[[connect.RedisClient], _Asked]) -> _Asked:
        try:
            if self._client is None:
                self._client = connect.client(self._url, self._timeout_seconds)
            return ask(self._client)
        except connect.TROUBLE as error:
            raise connect.away(self._url, error) from error


def shelf_of(settings: Settings) -> Shelf:
    """The alerts that the settings name."""
    return Shelf(
        settings.redis.url.get_secret_value(),
        prefix=settings.counters.prefix,
        timeout_seconds=settings.redis.timeout_seconds,
        kept=settings.alerts.kept,
    )


@functools.cache
def _script() -> str:
    return (resources.files(__package__) / "keep.lua").read_text(encoding="utf-8")
