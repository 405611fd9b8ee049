"""Where partitions begin to be read: where the group stands, and nowhere before. Reads no record.

librdkafka (2.16) may take "an open transaction is about to move it" for "it has not been anywhere", when a
partition goes and comes back before the broker has answered, and then begins with the first record there is.
"""

import time
from collections.abc import Callable, Iterable, Set

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from nifos_stream import logs

log = logs.get("stream.beginnings")

_ANSWER_WITHIN_SECONDS = 5.0
_ASK_AGAIN_SECONDS = 5.0


class Beginnings:
    """Where the group stands in the partitions that are owned. For the thread that polls alone."""

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        *,
        on_known: Callable[[dict[int, int]], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """on_known: told where the group stands in a partition, if it has been there, before it is read."""
        self._consumer = consumer
        self._topic = topic
        self._on_known = on_known
        self._now = now
        self._ask_at = now()
        self._stands: dict[int, int | None] = {}
        self._sent: set[int] = set()
        self._waiting: dict[int, int] = {}

    @property
    def waiting(self) -> Set[int]:
        """Partitions that are paused until it is known where they begin; what comes of them is not read."""
        return self._waiting.keys()

    def stands(self, partition: int) -> int | None:
        """Where the group stood when the partition came; None where it had not been, or that is not known."""
        return self._stands.get(partition)

    def may_begin(self, partition: int, offset: int) -> bool:
        """Whether reading begins at `offset`; if not, it is sent to where the group stands, or waits."""
        if not self._is_known(partition):
            self.wait(partition, offset)
            return False
        stands = self._stands[partition]
        # Where it does not stay where it was sent, the topic was made anew: what it holds has not been read.
        if stands is None or offset >= stands or partition in self._sent:
            return True
        log.warning("partition.sent_on", partition=partition, from_offset=offset, to_offset=stands)
        self._sent.add(partition)
        self._seek(partition, stands)
        return False

    def wait(self, partition: int, offset: int) -> None:
        """Pause a partition until it is known where the group stands.

        offset: where to begin if it has not been anywhere yet.
        """
        self._consumer.pause(self._places([partition]))
        self._waiting[partition] = offset

    def go_on(self, *, held: bool) -> None:
        """Let the partitions that wait begin, if it is known now where.

        held: reading is held, so they stay paused all the same.
        """
        while self._waiting and self._now() >= self._ask_at:
            partition, offset = next(iter(self._waiting.items()))
            del self._waiting[partition]
            if self._is_known(partition):
                stands = self._stands[partition]
                self._seek(partition, offset if stands is None else stands)
                if not held:
                    self._consumer.resume(self._places([partition]))
            else:
                self._waiting[partition] = offset  # Behind the others.

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget partitions that are gone."""
        for partition in partitions:
            self._stands.pop(partition, None)
            self._sent.discard(partition)
            self._waiting.pop(partition, None)

    def ask(
        self, partitions: Iterable[int], timeout_seconds: float = _ANSWER_WITHIN_SECONDS
    ) -> dict[int, int]:
        """Where the group stands in any partitions that it has been in. KafkaException without an answer."""
        answers = self._consumer.committed(self._places(partitions), timeout=timeout_seconds)
        for answer in answers:
            if answer.error is not None:
                raise KafkaException(answer.error)
        return {answer.partition: answer.offset for answer in answers if answer.offset >= 0}

    def _is_known(self, partition: int) -> bool:
        """Ask where the group stands, once and not all the time; whether that is known."""
        if partition not in self._stands and self._now() >= self._ask_at:
            try:
                found = self.ask([partition])
            except KafkaException as error:
                log.warning("partition.delayed", error=error.args[0].name(), detail=error.args[0].str())
                self._ask_at = self._now() + _ASK_AGAIN_SECONDS
            else:
                self._stands[partition] = found.get(partition)
                self._on_known(found)
        return partition in self._stands

    def _seek(self, partition: int, offset: int) -> None:
        try:
            self._consumer.seek(TopicPartition(self._topic, partition, offset))
        except KafkaException as error:
            # Not yet fetching, so it begins at the committed offset by itself.
            if error.args[0].code() != KafkaError._STATE:  # noqa: SLF001 - public name
                raise

    def _places(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in partitions]
