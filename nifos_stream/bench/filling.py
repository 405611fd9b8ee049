"""Fill a topic before it is read. Knows no stage and no post."""

import threading
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaError, Message, Producer

from nifos_stream import kafka
from nifos_stream.errors import NifosError
from nifos_stream.settings import Settings

_PATIENCE_SECONDS = 120.0
_TRANSACTION = 2000


class Filler:
    """Sends keys and values to one topic."""

    def __init__(self, settings: Settings, topic: str, **properties: object) -> None:
        """properties: of librdkafka, by their names with `_` in the place of `.`."""
        extra = {name.replace("_", "."): value for name, value in properties.items()}
        self._topic = topic
        self._producer = Producer(kafka.producer_config(settings.kafka, extra))
        self._refused: list[KafkaError] = []

    @property
    def producer(self) -> Producer:
        """The client."""
        return self._producer

    def send(self, key: bytes, value: bytes) -> None:
        """Hand over one record; waits for room."""
        while True:
            try:
                self._producer.produce(self._topic, value, key, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.1)
            else:
                break
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until all is there. NifosError when Kafka did not take something."""
        if self._producer.flush(_PATIENCE_SECONDS) or self._refused:
            said = self._refused[0].str() if self._refused else "no answer"
            raise NifosError(f"Kafka did not take every record: {said}.")

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error)


def fill(settings: Settings, topic: str, records: Iterable[tuple[bytes, bytes]]) -> int:
    """Send all records and wait until they are there; how many. NifosError."""
    filler = Filler(settings, topic, linger_ms=20)
    count = 0
    for key, value in records:
        filler.send(key, value)
        count += 1
    filler.flush()
    return count


def fill_in_transactions(
    settings: Settings, topic: str, records: Iterable[tuple[bytes, bytes]], name: str
) -> int:
    """The same in transactions, as the labelled topic is written. name: of the transactional producer."""
    filler = Filler(settings, topic, linger_ms=20, transactional_id=name)
    producer = filler.producer
    producer.init_transactions(_PATIENCE_SECONDS)
    count = 0
    for key, value in records:
        if count % _TRANSACTION == 0:
            if count:
                producer.commit_transaction(_PATIENCE_SECONDS)
            producer.begin_transaction()
        filler.send(key, value)
        count += 1
    filler.flush()
    producer.commit_transaction(_PATIENCE_SECONDS)
    return count


class Feeding(threading.Thread):
    """Fills a topic beside what reads it, never further ahead than `most_ahead`.

    done: how many records were read so far.
    """

    def __init__(
        self,
        filler: Filler,
        records: Iterable[tuple[bytes, bytes]],
        *,
        most_ahead: int,
        done: Callable[[], int],
    ) -> None:
        super().__init__(name="feeding", daemon=True)
        self.failure: BaseException | None = None
        self.stop = threading.Event()
        self._filler = filler
        self._records = records
        self._most_ahead = most_ahead
        self._done = done

    def run(self) -> None:
        """Send until there is nothing more, or `stop` is set."""
        try:
            for sent, (key, value) in enumerate(self._records):
                while sent - self._done() > self._most_ahead:
                    if self.stop.wait(0.05):
                        return
                self._filler.send(key, value)
            self._filler.flush()
        except BaseException as failure:  # noqa: BLE001 - whoever waits for the records looks at it
            self.failure = failure
