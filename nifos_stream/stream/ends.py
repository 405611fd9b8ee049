"""Ask the broker, once a second, where the posts topic begins and ends. Knows no consumer.

An answer is also the sign that the broker is there. The consumer's own watermarks stand still while its
partitions are paused, which is just when the backlog grows.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

_EVERY_SECONDS = 1.0
_ANSWER_WITHIN_SECONDS = 5.0
_REFRESH_WITHIN_SECONDS = 0.5
_SILENCE_SECONDS = 5.0
_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # they ship no types
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the log of each partition begins, and where it ends for a reader of committed records."""

    starts: dict[int, int]
    ends: dict[int, int]


class Ends:
    """Questions to the broker that nobody waits for."""

    def __init__(
        self,
        admin: AdminClient,
        topic: str,
        *,
        on_ask: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """on_ask: called just before each question."""
        self._admin = admin
        self._topic = topic
        self._on_ask = on_ask
        self._now = now
        self._asked_at = -_EVERY_SECONDS
        self._answered_at = now()
        self._answering_since = now()
        self._pending: tuple[dict[int, Future[Any]], dict[int, Future[Any]]] | None = None

    @property
    def silent_seconds(self) -> float:
        """Seconds since the broker last answered."""
        return self._now() - self._answered_at

    @property
    def answering_seconds(self) -> float:
        """Seconds for which the broker has answered without a long silence."""
        return 0.0 if self.silent_seconds > _SILENCE_SECONDS else self._now() - self._answering_since

    def look(self, partitions: Iterable[int]) -> Answer | None:
        """Ask of some partitions, at least one, when it is time to; an answer when one has just come."""
        if self._pending is None:
            if self._now() - self._asked_at >= _EVERY_SECONDS:
                self._ask(sorted(partitions))
            return None
        starts, ends = self._pending
        futures = [*starts.values(), *ends.values()]
        if not all(future.done() for future in futures):
            return None
        self._pending = None
        if any(future.exception() is not None for future in futures):
            self._refresh()
            return None
        self._answered()
        return Answer(
            {number: future.result().offset for number, future in starts.items()},
            {number: future.result().offset for number, future in ends.items()},
        )

    def _refresh(self) -> None:
        """Learn who leads the partitions now: librdkafka goes on with the leader epochs that it has.

        After a restart of the broker each question would be answered with FENCED_LEADER_EPOCH for ever.
        """
        try:
            self._admin.list_topics(self._topic, timeout=_REFRESH_WITHIN_SECONDS)
        except KafkaException:
            return
        self._answered()

    def _answered(self) -> None:
        if self.silent_seconds > _SILENCE_SECONDS:
            self._answering_since = self._now()
        self._answered_at = self._now()

    def _ask(self, partitions: list[int]) -> None:
        self._on_ask()
        self._asked_at = self._now()
        self._pending = (
            self._list(partitions, _EARLIEST, IsolationLevel.READ_UNCOMMITTED),
            self._list(partitions, _LATEST, IsolationLevel.READ_COMMITTED),
        )

    def _list(
        self, partitions: list[int], which: OffsetSpec, isolation: IsolationLevel
    ) -> dict[int, "Future[Any]"]:
        wanted = {TopicPartition(self._topic, number): which for number in partitions}
        answers = self._admin.list_offsets(
            wanted, isolation_level=isolation, request_timeout=_ANSWER_WITHIN_SECONDS
        )
        return {each.partition: future for each, future in answers.items()}
