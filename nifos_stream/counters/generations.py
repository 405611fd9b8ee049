"""What Redis says of a partition's generations, and the end of those that are not read. Knows no Kafka."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from nifos_stream import logs
from nifos_stream.counters.store import Store

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of one partition. position: None when it is dead. since: seconds, None before an event.

    begin, until: offsets that it began at, and that the topic ended at then; until: None for a rebuilt one.
    """

    number: int
    position: int | None
    topic_id: str
    fingerprint: str
    rules: str
    begin: int
    until: int | None
    since: float | None


@dataclass(frozen=True, slots=True)
class PartitionState:
    """The generations of a partition, and which of them is read."""

    named: int | None
    generations: Mapping[int, Generation]

    @property
    def read(self) -> Generation | None:
        """The generation that is read; None when nothing is counted."""
        found = self.generations.get(self.named) if self.named is not None else None
        return found if found is not None and found.position is not None else None

    @classmethod
    def of(cls, state: Mapping[str, str]) -> Self:
        """From the hash in Redis."""
        numbers = {int(name.partition(":")[0]) for name in state if ":" in name}
        named = state.get("named")
        return cls(
            int(named) if named is not None else None,
            {number: _generation(number, state) for number in numbers},
        )


def bury_unread(store: Store, partitions: Iterable[int], silence_seconds: float) -> None:
    """Delete generations below the read one, and above it where no rebuilder gave a sign for so long."""
    for partition in partitions:
        state = PartitionState.of(store.state(partition))
        for number in state.generations:
            if number != state.named and store.bury(partition, number, silence_seconds):
                _log.info("generation.deleted", partition=partition, generation=number)


def _generation(number: int, state: Mapping[str, str]) -> Generation:
    def fact(name: str) -> str | None:
        return state.get(f"{number}:{name}")

    position, until, since = fact("offset"), fact("until"), fact("since")
    return Generation(
        number=number,
        position=int(position) if position is not None else None,
        topic_id=fact("topic") or "",
        fingerprint=fact("fingerprint") or "",
        rules=fact("rules") or "",
        begin=int(fact("begin") or 0),
        until=int(until) if until is not None else None,
        since=float(since) if since is not None else None,
    )
