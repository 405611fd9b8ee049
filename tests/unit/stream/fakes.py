"""A model, a clock, a producer and a consumer that need no torch and no broker, for tests of the stream.

The model: a text with 좋 in it is positive, one with 별로 negative, any other neutral; NaN gets no label.
"""

import json
import struct
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from nifos_stream.errors import Reason
from nifos_stream.messages import SEOUL
from nifos_stream.model.reading import ModelInfo, Reading, Unread
from nifos_stream.stream.batch import Batch, Rejected
from nifos_stream.stream.codec import Record, decode


@dataclass
class FakeStats:
    texts: int = 0
    tokens: int = 0
    chunks: int = 0
    padding_tokens: int = 0
    cache_lookups: int = 0
    cache_hits: int = 0
    forward_seconds: float = 0.0


@dataclass
class FakeClassifier:
    """seconds_per_text: how long a forward pass takes."""

    seconds_per_text: float = 0.0
    device: str = "cpu"
    dtype: str = "fp32"
    info: ModelInfo = field(default_factory=lambda: ModelInfo("fake", "0123456789ab", 60))
    stats: FakeStats = field(default_factory=FakeStats)
    seen: list[int] = field(default_factory=list)
    """Texts of each forward pass."""

    def prepare(self, texts: Sequence[str]) -> list[str]:
        return list(texts)

    def characters_per_second(self) -> float:
        return 2000.0

    def abandon(self) -> None:
        """Nothing of it is queued."""

    def begin(self, prepared: Sequence[str]) -> Sequence[str]:
        return prepared

    def finish(self, begun: Sequence[str]) -> list[Reading | Unread]:
        seconds = self.seconds_per_text * len(begun)
        if seconds:
            time.sleep(seconds)
        self.stats.forward_seconds += seconds
        self.seen.append(len(begun))
        self.stats.texts += len(begun)
        self.stats.tokens += sum(map(len, begun))
        self.stats.chunks += 1
        return [read(text) for text in begun]


def read(text: str) -> Reading | Unread:
    if "NaN" in text:
        return Unread(Reason.MODEL_NAN, "The model gave no number for this text.")
    if "좋" in text:
        return Reading((0.1, 0.2, 0.7), len(text))
    if "별로" in text:
        return Reading((0.7, 0.2, 0.1), len(text))
    return Reading((0.2, 0.6, 0.2), len(text))


class FakeClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


def metadata(generation: int = 1) -> bytes:
    """Group metadata as librdkafka writes them."""
    return b"CGMDv2:" + struct.pack("=i", generation) + b"group\0member\0\1"


def record(offset: int = 0, partition: int = 0, text: str = "좋아요", value: bytes | None = None) -> Record:
    if value is None:
        value = json.dumps({"id": str(offset), "text": text}).encode()
    return Record(b"k", value, (("h", b"1"),), "posts", partition, offset, 1_777_000_000_000)


def row(offset: int = 0, partition: int = 0, text: str = "좋아요"):
    return decode(record(offset, partition, text), timezone=SEOUL)


def bad_row(offset: int = 0, partition: int = 0):
    return Rejected(record(offset, partition, value=b"{"), Reason.NOT_JSON, "It is not JSON.")


def batch(*rows, claims: dict[int, int] | None = None) -> Batch:
    next_offsets = {each.record.partition: each.record.offset + 1 for each in rows}
    return Batch(tuple(rows), claims or dict.fromkeys(next_offsets, 1), next_offsets)


def error(
    code: int, *, retriable: bool = False, requires_abort: bool = False, fatal: bool = False
) -> KafkaException:
    return KafkaException(
        KafkaError(code, fatal=fatal, retriable=retriable, txn_requires_abort=requires_abort)
    )


class FakeKafka:
    """What producers committed, and how they fail.

    fail: {name of a call: errors that its next calls raise}; an entry "commit_transaction lost" makes the
    commit happen and time out all the same.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fail: dict[str, deque[KafkaException]] = {}
        self.messages: list[tuple[str, int, bytes | None]] = []
        self.offsets: dict[int, int] = {}
        self.largest: int | None = None
        self.producers = 0

    def failing(self, call: str, *errors: KafkaException) -> None:
        self.fail[call] = deque(errors)

    def producer(self) -> "FakeProducer":
        self.producers += 1
        return FakeProducer(self)

    def committed(self, partitions) -> dict[int, int]:
        return {partition: self.offsets[partition] for partition in partitions if partition in self.offsets}

    def commit(self, positions: list[TopicPartition]) -> None:
        self.called("commit")
        self.offsets |= {position.partition: position.offset for position in positions}

    def called(self, name: str) -> None:
        self.calls.append(name)
        if self.fail.get(name):
            raise self.fail[name].popleft()


class FakeProducer:
    """Sends at flush; transactional once init_transactions was called."""

    def __init__(self, kafka: FakeKafka) -> None:
        self.kafka = kafka
        self.transactional = False
        self.queued: list[tuple[tuple[str, int, bytes | None], object]] = []
        self.open: list[tuple[str, int, bytes | None]] = []
        self.positions: list[TopicPartition] = []
        self.metadata: list[bytes] = []

    def produce(self, topic, *, value, partition, on_delivery, **_more) -> None:
        self.kafka.called("produce")
        self.queued.append(((topic, partition, value), on_delivery))

    def poll(self, _timeout: float = 0) -> int:
        return 0

    def flush(self, _timeout: float = 0) -> int:
        self.kafka.calls.append("flush")
        queued, self.queued = self.queued, []
        lost = self.kafka.fail.get("deliver")
        for message, report in queued:
            if self.kafka.largest is not None and len(message[2] or b"") > self.kafka.largest:
                report(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), None)
            elif lost:
                report(lost.popleft().args[0], None)
            else:
                self.open.append(message)
                report(None, None)
        if not self.transactional:
            self.kafka.messages += self.open
            self.open = []
        return 0

    def purge(self) -> None:
        self.kafka.calls.append("purge")

    def init_transactions(self, _timeout: float) -> None:
        self.kafka.called("init_transactions")
        self.transactional = True

    def begin_transaction(self) -> None:
        self.kafka.called("begin_transaction")
        self.open, self.positions = [], []

    def send_offsets_to_transaction(self, positions, group_metadata, _timeout: float) -> None:
        self.metadata.append(group_metadata)
        self.kafka.called("send_offsets_to_transaction")
        self.positions = positions

    def commit_transaction(self, _timeout: float) -> None:
        if self.kafka.fail.get("commit_transaction lost"):
            self._commit()
            self.kafka.called("commit_transaction lost")
        self.kafka.called("commit_transaction")
        self._commit()

    def _commit(self) -> None:
        self.kafka.messages += self.open
        self.kafka.offsets |= {position.partition: position.offset for position in self.positions}

    def abort_transaction(self, _timeout: float) -> None:
        self.kafka.called("abort_transaction")
        self.open, self.positions, self.queued = [], [], []


class FakeMessage:
    """A record or, with an error, an event of a partition."""

    def __init__(self, offset: int, partition: int = 0, value: bytes | None = None, code: int | None = None):
        made = record(offset, partition, value=value)
        self._made = made
        self._error = KafkaError(code) if code is not None else None

    def error(self):
        return self._error

    def partition(self) -> int:
        return self._made.partition

    def offset(self) -> int:
        return self._made.offset

    def key(self) -> bytes | None:
        return self._made.key

    def value(self) -> bytes | None:
        return self._made.value

    def headers(self):
        return list(self._made.headers)

    def timestamp(self) -> tuple[int, int]:
        return (1, self._made.timestamp_ms)


def end_of(offset: int, partition: int = 0) -> FakeMessage:
    return FakeMessage(offset, partition, code=KafkaError._PARTITION_EOF)


class FakeConsumer:
    """Hands out what `events` holds: a message, or a callable (a rebalance) that runs inside poll.

    committed_offsets: what the group has committed. seeks, paused: what was asked for.
    """

    def __init__(self) -> None:
        self.events: deque[object] = deque()
        self.committed_offsets: dict[int, int] = {}
        self.seeks: list[tuple[int, int]] = []
        self.paused: set[int] = set()
        self.commits: list[dict[int, int]] = []
        self.fetching = True
        self.closed = False
        self.generation = 1

    def subscribe(self, _topics, *, on_assign, on_revoke, on_lost) -> None:
        self.on_assign, self.on_revoke, self.on_lost = on_assign, on_revoke, on_lost

    def assign(self, *partitions: int):
        return lambda: self.on_assign(self, [TopicPartition("posts", each) for each in partitions])

    def revoke(self, *partitions: int):
        return lambda: self.on_revoke(self, [TopicPartition("posts", each) for each in partitions])

    def lose(self, *partitions: int):
        return lambda: self.on_lost(self, [TopicPartition("posts", each) for each in partitions])

    def poll(self, timeout: float):
        while self.events:
            event = self.events.popleft()
            if not callable(event):
                return event
            event()
        time.sleep(min(timeout, 0.002))
        return None

    def consume(self, count: int, _timeout: float):
        messages = []
        while len(messages) < count and (message := self.poll(0)) is not None:
            messages.append(message)
        return messages

    def committed(self, partitions, timeout: float):
        assert timeout > 0
        return [
            TopicPartition("posts", each.partition, self.committed_offsets.get(each.partition, -1001))
            for each in partitions
        ]

    def seek(self, position: TopicPartition) -> None:
        if not self.fetching:
            raise error(KafkaError._STATE)
        self.seeks.append((position.partition, position.offset))

    def pause(self, partitions) -> None:
        self.paused |= {each.partition for each in partitions}

    def resume(self, partitions) -> None:
        self.paused -= {each.partition for each in partitions}

    def consumer_group_metadata(self) -> bytes:
        return metadata(self.generation)

    def commit(self, *, offsets, asynchronous: bool):
        assert not asynchronous
        self.commits.append({each.partition: each.offset for each in offsets})
        return offsets

    def close(self) -> None:
        self.closed = True
