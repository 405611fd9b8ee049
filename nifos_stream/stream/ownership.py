"""Which partitions this worker owns, and what a batch may still do. Knows no client of Kafka.

The thread that polls, in which the callbacks of a rebalance run, and the thread that publishes meet here,
under one lock. Each assignment of a partition is a new *claim*: a row read under an older claim is never
published, because whoever owned the partition in between, even this worker, went on from the committed
offset. The group metadata of a transaction are those of a time when its claims were held: older ones are
refused by the broker, newer ones could commit for a partition that another worker has by now.
"""

import math
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from nifos_stream.errors import NifosError

_METADATA_PREFIX = b"CGMDv2:"
_LOOK_SECONDS = 0.01


def generation_of(group_metadata: bytes) -> int:
    """The generation (or member epoch) in librdkafka's group metadata; negative outside a group."""
    if not group_metadata.startswith(_METADATA_PREFIX):
        raise NifosError("This version of confluent-kafka writes group metadata in a form that is not known.")
    generation: int = struct.unpack_from("=i", group_metadata, len(_METADATA_PREFIX))[0]
    return generation


@dataclass(slots=True, eq=False)
class Lease:
    """Leave to publish rows of `partitions` as the member that `group_metadata` names."""

    partitions: frozenset[int]
    group_metadata: bytes
    deadline: float = math.inf
    """Clock time from which the transaction can only be aborted."""


class Ownership:
    """The claims of one worker. At most one lease is out at a time."""

    def __init__(self, *, handover_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._handover_seconds = handover_seconds
        self._now = now
        self._changed = threading.Condition()
        self._claims: dict[int, int] = {}
        self._claims_made = 0
        self._committed: dict[int, int] = {}
        self._group_metadata = b""
        self._lease: Lease | None = None
        self._closes_at = math.inf

    def assigned(self, partitions: Iterable[int], group_metadata: bytes) -> None:
        """Claim partitions anew, as the member that the metadata name."""
        with self._changed:
            self._group_metadata = group_metadata
            for partition in partitions:
                self._claims_made += 1
                self._claims[partition] = self._claims_made
                self._committed.pop(partition, None)

    def member(self, group_metadata: bytes) -> None:
        """Note the metadata that the polling thread reads between two rounds of callbacks."""
        with self._changed:
            self._group_metadata = group_metadata

    def revoked(self, partitions: Iterable[int], meanwhile: Callable[[], None] = lambda: None) -> None:
        """Give partitions up: wait until the batch in hand is committed or aborted, but not for long.

        meanwhile: called again and again while waiting.
        """
        with self._changed:
            self._forget(partitions)
            lease = self._lease
            if lease is None:
                return
            lease.deadline = min(lease.deadline, self._now() + self._handover_seconds)
        while self._is_out(lease):
            meanwhile()
        with self._changed:
            lease.deadline = -math.inf

    def lost(self, partitions: Iterable[int]) -> None:
        """Partitions are gone already: the batch in hand can only be aborted."""
        with self._changed:
            gone = set(partitions)
            self._forget(gone)
            if self._lease is not None and not gone.isdisjoint(self._lease.partitions):
                self._lease.deadline = -math.inf

    def close(self, at: float) -> None:
        """From clock time `at` nothing may be committed any more."""
        with self._changed:
            self._closes_at = at
            if self._lease is not None:
                self._lease.deadline = min(self._lease.deadline, at)

    def claims(self) -> dict[int, int]:
        """The claim of each partition that is owned."""
        with self._changed:
            return dict(self._claims)

    def committed(self) -> dict[int, int]:
        """The offset to go on from, where it is known, of each partition that is owned."""
        with self._changed:
            return dict(self._committed)

    def holds_any(self, claims: Mapping[int, int]) -> bool:
        """Whether anything that was read under `claims` may still be published."""
        with self._changed:
            return any(self._claims.get(partition) == claim for partition, claim in claims.items())

    def lend(self, claims: Mapping[int, int]) -> Lease | None:
        """A lease on those partitions of `claims` that are still held; None when there is none left."""
        with self._changed:
            held = frozenset(p for p, claim in claims.items() if self._claims.get(p) == claim)
            if not held or self._now() >= self._closes_at:
                return None
            # The broker does not check a commit from outside a group; the callback about it is on its way.
            deadline = self._closes_at if generation_of(self._group_metadata) >= 0 else -math.inf
            self._lease = Lease(held, self._group_metadata, deadline)
            return self._lease

    def may_commit(self, lease: Lease) -> bool:
        """Whether the transaction under `lease` may still be committed."""
        with self._changed:
            return self._now() < lease.deadline

    def give_back(self, lease: Lease, next_offsets: Mapping[int, int] | None = None) -> None:
        """End a lease; with next_offsets, the transaction under it was committed."""
        with self._changed:
            for partition, offset in (next_offsets or {}).items():
                if partition in self._claims and partition in lease.partitions:
                    self._committed[partition] = offset
            if self._lease is lease:
                self._lease = None
            self._changed.notify_all()

    def learn_committed(self, offsets: Mapping[int, int]) -> None:
        """Note the offsets that were committed before anything was read under the present claims."""
        with self._changed:
            for partition, offset in offsets.items():
                if partition in self._claims:
                    self._committed.setdefault(partition, offset)

    def _is_out(self, lease: Lease) -> bool:
        with self._changed:
            if self._lease is lease and self._now() < lease.deadline:
                self._changed.wait(_LOOK_SECONDS)
            return self._lease is lease and self._now() < lease.deadline

    def _forget(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            self._claims.pop(partition, None)
            self._committed.pop(partition, None)
