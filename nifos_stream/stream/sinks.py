"""The sink that the settings ask for. Knows how one is put together, and nothing of what it does."""

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import TopicPartition

from nifos_stream.settings import Settings
from nifos_stream.stream import clients
from nifos_stream.stream.outbox import Outgoing
from nifos_stream.stream.ownership import Ownership
from nifos_stream.stream.plain import PlainSink
from nifos_stream.stream.sink import Sink
from nifos_stream.stream.transactional import TransactionalSink


def make_sink(
    settings: Settings,
    ownership: Ownership,
    *,
    largest_bytes: tuple[int, ...],
    too_large: Callable[[Outgoing], Outgoing],
    commit: Callable[[list[TopicPartition]], None],
) -> Sink:
    """A sink for `stream.delivery`.

    largest_bytes: max.message.bytes of the topics that it writes to. commit: commits offsets outside a
    transaction, and waits.
    """
    stream, topic = settings.stream, settings.topics.posts
    properties = clients.producer_properties(settings, *largest_bytes)
    common: dict[str, Any] = {
        "open_producer": lambda: clients.open_producer(properties),
        "too_large": too_large,
        "step_seconds": stream.transaction_timeout_seconds,
        "patience_seconds": settings.kafka.retry_timeout_seconds,
    }
    if stream.delivery == "at_least_once":
        return PlainSink(topic, ownership, commit=commit, **common)

    def committed_offsets(partitions: Iterable[int]) -> dict[int, int]:
        return clients.committed_offsets(settings, partitions, stream.transaction_timeout_seconds)

    return TransactionalSink(topic, ownership, committed_offsets=committed_offsets, **common)
