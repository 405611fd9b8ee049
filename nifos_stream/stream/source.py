"""Read the posts topic: rows out of records, where each partition stands, rebalances. Knows no model.

Everything here runs in the thread that polls; librdkafka calls the rebalance callbacks inside `poll`.
confluent-kafka (2.16) lets one thread at a time into a consumer and is not fair about it: beside a thread
that polls, another may wait for minutes. So no other thread may touch the consumer.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from nifos_stream import logs
from nifos_stream.errors import BadMessage, NifosError, Reason, UserError
from nifos_stream.kafka import headers_of
from nifos_stream.stream.batch import Rejected, Row
from nifos_stream.stream.beginnings import Beginnings
from nifos_stream.stream.codec import Record, decode
from nifos_stream.stream.errands import Errands
from nifos_stream.stream.ownership import Ownership
from nifos_stream.stream.trimming import Trimming

log = logs.get("stream.source")

_ANSWER_SOON_SECONDS = 1.0
_COMMIT_TIMEOUT_SECONDS = 30.0
_UNSETTLED_SECONDS = 30.0

_AT_END = KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's public name for it
_NO_HEADERS = "The name of a header is not UTF-8, so its headers could not be read and are not kept."

_REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "Kafka does not let this user read topic {topic}.",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "Kafka does not let this user join consumer group {group}.",
}


@dataclass(slots=True)
class Standing:
    """How far one partition was read under the present claim."""

    position: int | None = None
    """The next offset; None until something was read."""
    at_end: bool = False


class Source:
    """The consumer of the posts topic."""

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        ownership: Ownership,
        *,
        group_id: str,
        timezone: dt.tzinfo,
        trimming: Trimming,
        on_gone: Callable[[set[int]], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Subscribe. on_gone: told, in the polling thread, which partitions are no longer owned."""
        self._consumer = consumer
        self._topic = topic
        self._group_id = group_id
        self._ownership = ownership
        self._timezone = timezone
        self._trimming = trimming
        self._on_gone = on_gone
        self._errands = Errands()
        self._held: bool | None = False
        self._gone_in_call: set[int] = set()
        self._now = now
        self._told = False
        self._unsettled_since = now()
        self._beginnings = Beginnings(consumer, topic, on_known=ownership.learn_committed, now=now)
        self.standings: dict[int, Standing] = {}
        consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def settled(self, answering_seconds: float) -> bool:
        """Whether the group has given this worker its share, be it none.

        Between giving up the old share and getting the new one a worker has nothing to do, but is not idle.
        Not every protocol says that the new share is none, so it is taken to be that when the broker has been
        there for a while (answering_seconds) without saying otherwise.
        """
        unsettled_seconds = self._now() - self._unsettled_since
        return self._told or min(unsettled_seconds, answering_seconds) > _UNSETTLED_SECONDS

    def poll(self, most: int, timeout_seconds: float) -> list[Row]:
        """Up to `most` rows as soon as there are any, [] after `timeout_seconds` without one."""
        self._errands.serve()
        self._gone_in_call.clear()
        self._beginnings.go_on(held=bool(self._held))
        first = self._consumer.poll(timeout_seconds)
        self._ownership.member(self._consumer.consumer_group_metadata())
        if first is None:
            return []
        messages = [first]
        if most > 1:
            messages += self._consumer.consume(most - 1, 0)
        # librdkafka may hand out what it gathered before a partition went, even if that has come back since.
        for partition in self._gone_in_call & self.standings.keys():
            self._beginnings.wait(partition, OFFSET_BEGINNING)
        return self._rows(messages)

    def hold(self, hold: bool) -> None:
        """Stop reading, or go on; `poll` has to be called all the same."""
        if hold == self._held:
            return
        numbers = self.standings.keys() - self._beginnings.waiting
        ours = [TopicPartition(self._topic, number) for number in numbers]
        (self._consumer.pause if hold else self._consumer.resume)(ours)
        self._held = hold

    def commit(self, offsets: list[TopicPartition]) -> None:
        """Commit offsets outside a transaction; for another thread than the one that polls."""
        answers = self._errands.ask(
            lambda: self._consumer.commit(offsets=offsets, asynchronous=False), _COMMIT_TIMEOUT_SECONDS
        )
        for answer in answers or ():
            if answer.error is not None:
                raise KafkaException(answer.error)

    def committed(self, partitions: Iterable[int]) -> dict[int, int] | None:
        """Where the group stands, by partition, whoever owns them; None without an answer within a second."""
        try:
            return self._beginnings.ask(partitions, _ANSWER_SOON_SECONDS)
        except KafkaException:
            return None

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _rows(self, messages: Iterable[Message]) -> list[Row]:
        rows: list[Row] = []
        append, standings, topic, timezone = rows.append, self.standings, self._topic, self._timezone
        skip = set(self._beginnings.waiting)
        for message in messages:
            error = message.error()
            if error is not None and error.code() != _AT_END:
                self._heed(error)
                continue
            partition, offset = message.partition(), message.offset()
            standing = standings.get(partition)  # type: ignore[arg-type]
            if standing is None or partition in skip:
                continue
            if standing.position != offset and not self._follows(partition, offset):  # type: ignore[arg-type]
                skip.add(partition)  # type: ignore[arg-type]
                continue
            standing.at_end = error is not None
            if standing.at_end:
                standing.position = offset
                continue
            standing.position = offset + 1  # type: ignore[operator]
            headers = headers_of(message)
            record = Record(
                message.key(),
                message.value(),
                headers or (),
                topic,
                partition,  # type: ignore[arg-type]
                offset,  # type: ignore[arg-type]
                message.timestamp()[1],
            )
            try:
                if headers is None:
                    raise BadMessage(Reason.NOT_UTF8, _NO_HEADERS)
                append(decode(record, timezone=timezone))
            except BadMessage as bad:
                append(Rejected(record, bad.reason, bad.detail))
        return rows

    def _heed(self, error: KafkaError) -> None:
        if error.code() in _REFUSED:
            raise UserError(_REFUSED[error.code()].format(topic=self._topic, group=self._group_id))
        if error.fatal():
            raise NifosError(f"The consumer of {self._topic} cannot go on: {error.str()}.")
        log.warning("source.hindered", error=error.name(), detail=error.str())

    def _follows(self, partition: int, offset: int) -> bool:
        """Whether reading goes on at an offset that is not the next one.

        Offsets are skipped by markers of transactions, and where the broker trimmed the topic.
        """
        before = self.standings[partition].position
        if before is None:
            if not self._beginnings.may_begin(partition, offset):
                return False
            before = self._beginnings.stands(partition)
        if before is not None and offset > before:
            self._trimming.skipped(partition, before, offset)
        elif before is not None and offset < before:
            # The topic was made anew: what it holds now has not been read.
            log.warning("source.rewound", partition=partition, from_offset=before, to_offset=offset)
        return True

    def _assigned(self, _consumer: Any, partitions: list[TopicPartition]) -> None:
        numbers = [each.partition for each in partitions]
        self._told = True
        self._held = None  # The new ones are not paused; the others may be.
        self.standings |= {number: Standing() for number in numbers}
        self._ownership.assigned(numbers, self._consumer.consumer_group_metadata())
        log.info("partitions.assigned", partitions=sorted(numbers))

    def _revoked(self, _consumer: Any, partitions: list[TopicPartition]) -> None:
        self._forget(partitions)
        self._ownership.revoked([each.partition for each in partitions], self._errands.serve)
        log.info("partitions.revoked", partitions=sorted(each.partition for each in partitions))

    def _lost(self, _consumer: Any, partitions: list[TopicPartition]) -> None:
        self._forget(partitions)
        self._ownership.lost([each.partition for each in partitions])
        log.warning("partitions.lost", partitions=sorted(each.partition for each in partitions))

    def _forget(self, partitions: list[TopicPartition]) -> None:
        gone = {each.partition for each in partitions}
        self._gone_in_call |= gone
        for number in gone:
            self.standings.pop(number, None)
        self._beginnings.drop(gone)
        self._trimming.drop(gone)
        self._told = bool(self.standings)
        self._unsettled_since = self._now()
        self._on_gone(gone)
