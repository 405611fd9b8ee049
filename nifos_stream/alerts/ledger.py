"""The alerts topic: whose turn it is to evaluate, up to when that was done, and what began and ended.

Why a consumer group and not a lock in Redis: what must not happen twice is a record in Kafka, so Kafka
decides. The group on the topic gives its partition 0 to one worker. That worker's events and "evaluated up to
this minute", which stands in the metadata of the group's offset, are one transaction, and all workers share
one transactional id: whoever takes over first ends or fences what the one before had begun, and only then
reads what the topic says. So a minute is published whole, once, or not at all, however late a paused worker
wakes up; an emptied Redis changes nothing of it. Each turn has a number, its epoch, greater than all before;
it stands there, too, and whatever else a turn writes elsewhere can be told by it from that of a later one.
Knows no rule and no Redis.
"""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from nifos_stream import kafka, logs
from nifos_stream.alerts.event import read_event
from nifos_stream.alerts.gaps import Gap
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.messages import AlertEvent
from nifos_stream.settings import Settings
from nifos_stream.topic import TopicReader

_log = logs.get(__name__)
_STEP_SECONDS = 10.0
_TRANSACTION_SECONDS = 15.0
_MOST_DROPPED = 500
_QUICK = {"session.timeout.ms": 10_000, "heartbeat.interval.ms": 2_000, "reconnect.backoff.max.ms": 2_000}
"""Unless set: a killed worker's turn ends soon."""
_CLASSIC_ONLY = {"session.timeout.ms", "heartbeat.interval.ms"}
PARTITION = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the rules were evaluated, in seconds since 1970; None where they never were.

    epoch: of the turn. gaps: minutes that never can be, while an alert is open that was so before them.
    """

    evaluated_to: int | None = None
    epoch: int = 0
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """What was published before: the last event of each alert, oldest first. mark: of this turn."""

    events: tuple[AlertEvent, ...]
    mark: Mark


class Ledger:
    """One worker's place in the group. Its calls belong to one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topics.alerts
        self._mine = False
        self._producer: Producer | None = None
        self._end = 0
        try:
            self._consumer = Consumer(consumer_properties(settings, settings.alerts.group_id))
        except (KafkaException, ValueError, TypeError) as error:
            raise not_valid(error) from None
        self._consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def my_turn(self, timeout_seconds: float) -> bool:
        """Whether this worker evaluates, as the group says; stays a member of it meanwhile. UserError."""
        # Records are read by whoever takes over, all at once; a member drops what comes.
        for message in self._consumer.consume(_MOST_DROPPED, timeout_seconds):
            if (error := message.error()) is not None:
                heed(error, self._topic)
        return self._mine

    def take_over(self, above_epoch: int, stopped: Callable[[], bool]) -> Past:
        """Begin a turn. Stays a member of the group meanwhile.

        above_epoch: another epoch that this turn's has to be greater than.
        1. End whatever another worker had begun.  2. Read what is there.  3. Say that a new turn has begun.
        BrokerUnavailable; Stopped when it was told to stop, or it is another worker's turn by now.
        """

        def told_to_stop() -> bool:
            return stopped() or not self.my_turn(0.0)

        self.give_up()
        self._producer = producer = _producer(self._settings)
        try:
            producer.init_transactions(_STEP_SECONDS)
            before = self._mark()
            events = self._published(told_to_stop)
        except KafkaException as error:
            self.give_up()
            raise _unavailable(error) from None
        mark = replace(before, epoch=max(before.epoch, above_epoch) + 1)
        self.publish((), mark)
        return Past(tuple(sorted(events, key=lambda event: (event.started_at, event.id))), mark)

    def publish(self, events: Sequence[AlertEvent], mark: Mark) -> None:
        """Publish what began and ended at one minute, and that it was evaluated, or neither.

        1. Begin.  2. Produce.  3. Add how far it was evaluated.  4. Commit, which waits for every record.
        BrokerUnavailable: nobody knows what became of it, and whoever goes on must take over first.
        """
        producer = self._producer
        if producer is None or not self._mine:
            raise BrokerUnavailable("Another worker evaluates the alerts.")
        failures: list[KafkaError] = []
        try:
            producer.begin_transaction()
            for event in events:
                producer.produce(
                    self._topic,
                    event.model_dump_json().encode(errors="replace"),
                    event.id.encode(),
                    PARTITION,
                    on_delivery=lambda error, _: failures.append(error) if error is not None else None,
                )
            place = TopicPartition(self._topic, PARTITION, self._end, written_mark(mark))
            member = self._consumer.consumer_group_metadata()
            producer.send_offsets_to_transaction([place], member, _STEP_SECONDS)
            producer.flush(_STEP_SECONDS)
            if failures:
                raise KafkaException(failures[0])
            producer.commit_transaction(_STEP_SECONDS)
            if events:
                _, self._end = self._consumer.get_watermark_offsets(place, timeout=_STEP_SECONDS)
        except (KafkaException, BufferError) as error:
            self.give_up()
            raise _unavailable(error) from None

    def give_up(self) -> None:
        """Discard the producer; what it had begun ends when somebody takes over.

        It aborts nothing itself: after a call that is unclear it must not be used (librdkafka #5423).
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            # Its destruction may hang, which is nobody's business here.
            threading.Thread(target=producer.purge, name="discard", daemon=True).start()

    def close(self) -> None:
        """Leave the group."""
        self.give_up()
        self._consumer.close()

    def _published(self, told_to_stop: Callable[[], bool]) -> Iterable[AlertEvent]:
        """The last event of each alert, without what somebody else wrote and cannot be used."""
        latest: dict[str, AlertEvent] = {}
        with TopicReader(
            self._settings.kafka, self._topic, patience_seconds=_STEP_SECONDS, told_to_stop=told_to_stop
        ) as reader:
            for message in reader.all():
                if (event := _event(message)) is not None:
                    latest[event.id] = event
            self._end = reader.ends()[PARTITION]
        return latest.values()

    def _mark(self) -> Mark:
        (place,) = self._consumer.committed([TopicPartition(self._topic, PARTITION)], timeout=_STEP_SECONDS)
        if place.error is not None:
            raise KafkaException(place.error)
        return read_mark(place.metadata)

    def _assigned(self, _client: Consumer, places: list[TopicPartition]) -> None:
        self._mine = self._mine or any(place.partition == PARTITION for place in places)
        _log.info("alerts.assigned", mine=self._mine)

    def _revoked(self, _client: Consumer, places: list[TopicPartition]) -> None:
        if any(place.partition == PARTITION for place in places):
            self._mine = False
            _log.info("alerts.turn_ended")


def consumer_properties(settings: Settings, group_id: str) -> dict[str, Any]:
    """Of a member whose partitions move soon after it dies; what the settings name wins."""
    chosen = {**settings.kafka.properties, **settings.kafka.consumer_properties}
    quick = {name: value for name, value in _QUICK.items() if name not in chosen}
    if chosen.get("group.protocol") == "consumer":
        quick = {name: value for name, value in quick.items() if name not in _CLASSIC_ONLY}
    return kafka.consumer_config(settings.kafka, group_id, {**quick, "auto.offset.reset": "latest"})


def _producer(settings: Settings) -> Producer:
    promises = {
        "transactional.id": settings.alerts.group_id,
        "transaction.timeout.ms": int(_TRANSACTION_SECONDS * 1000),
        "linger.ms": 0,
    }
    try:
        return Producer(kafka.producer_config(settings.kafka, promises))
    except (KafkaException, ValueError, TypeError) as error:
        raise not_valid(error) from None


def written_mark(mark: Mark) -> str:
    """The metadata of the group's offset."""
    said: dict[str, object] = {"evaluated_to": mark.evaluated_to, "epoch": mark.epoch}
    if mark.gaps:
        said["gaps"] = mark.gaps
    return json.dumps(said)


def read_mark(metadata: str | None) -> Mark:
    """What another turn wrote; nothing where it is not ours, and without an epoch before there were any."""
    try:
        said = json.loads(metadata or "")
        done = said["evaluated_to"]
        return Mark(
            None if done is None else int(done),
            int(said.get("epoch", 0)),
            tuple(Gap(*map(int, gap)) for gap in said.get("gaps", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Mark()


def _event(message: Message) -> AlertEvent | None:
    """The event of a record; None where somebody else wrote it, and it cannot be used."""
    try:
        return read_event(message.value())
    except ValueError as error:
        place = {"partition": message.partition(), "offset": message.offset()}
        _log.warning("alert.skipped", topic=message.topic(), **place, detail=str(error))
        return None


def heed(error: KafkaError, topic: str) -> None:
    """UserError for what a person must mend, BrokerUnavailable when the client cannot go on; else nothing."""
    if error.code() in _FORBIDDEN:
        raise UserError(f"Kafka does not let this user read topic {topic} in its group: {error.str()}.")
    if error.fatal():
        raise BrokerUnavailable(f"The consumer of the alerts cannot go on: {error.str()}.")


def not_valid(error: Exception) -> UserError:
    """What a client says that cannot be made of the settings."""
    return UserError(f"The Kafka settings are not valid: {_said(error)}.")


def _said(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return (first.str() if isinstance(first, KafkaError) else str(first)).rstrip(".")


def _unavailable(error: Exception) -> BrokerUnavailable | UserError:
    first, said = error.args[0] if error.args else error, _said(error)
    if isinstance(first, KafkaError) and first.code() in _FORBIDDEN:
        return UserError(f"Kafka does not let this user publish alerts: {said}.")
    return BrokerUnavailable(f"The alerts were not published: {said}.")


_FORBIDDEN = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
)
