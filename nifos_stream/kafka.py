"""Clients of Kafka: how they are configured, what an error asks for, and the topics. Knows no stage."""

import enum
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from nifos_stream.errors import BrokerUnavailable, Stopped, UserError
from nifos_stream.settings import KafkaSettings, Settings

ENVELOPE_BYTES = 65_536
"""Room that the labelled and dead-letter topics have beyond the input's largest message."""
DAY_MS = 86_400_000

# librdkafka's own lines go nowhere: whatever matters reaches us as an error, and is logged once, by us.
_SILENT = logging.getLogger("nifos_stream.librdkafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class NextStep(enum.Enum):
    """What to do about an error of a transactional call."""

    RETRY_CALL = "retry_call"
    REREAD_BATCH = "reread_batch"
    RESTART_PRODUCER = "restart_producer"


def next_step(error: KafkaError) -> NextStep:
    """The action that an error of a transactional producer asks for (librdkafka PR #2752, issue #5423)."""
    if error.code() == KafkaError._TIMED_OUT:  # noqa: SLF001 - librdkafka's public name for it
        return (
            NextStep.RESTART_PRODUCER
        )  # Retriable by its flag, but a late EndTxn may hit the next transaction.
    if error.retriable():
        return NextStep.RETRY_CALL
    if error.txn_requires_abort():
        return NextStep.REREAD_BATCH
    return NextStep.RESTART_PRODUCER


def client_config(kafka: KafkaSettings, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Properties of any client: the settings' own, then `extra`, which the caller's promises rest on."""
    config: dict[str, Any] = {"bootstrap.servers": kafka.bootstrap_servers, "client.id": "nifos-stream"}
    if kafka.username is not None:
        config |= {"sasl.username": kafka.username, "sasl.mechanism": "SCRAM-SHA-512"}
        config["security.protocol"] = "SASL_SSL"
    if kafka.password is not None:
        config["sasl.password"] = kafka.password.get_secret_value()
    return {**config, **kafka.properties, **(extra or {}), "logger": _SILENT}


def consumer_config(
    kafka: KafkaSettings, group_id: str, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Properties of a consumer that reads committed records only and commits nothing by itself."""
    promises = {
        "group.id": group_id,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
    return client_config(kafka, {**kafka.consumer_properties, **promises, **(extra or {})})


def producer_config(kafka: KafkaSettings, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Properties of a producer that neither loses nor doubles a record within its session."""
    promises = {"acks": "all", "enable.idempotence": True}
    # Topics limit a message as it travels: one that came in compressed has to go out compressed.
    defaults = {"linger.ms": 5, "compression.type": "zstd"}
    return client_config(kafka, {**defaults, **kafka.producer_properties, **promises, **(extra or {})})


def headers_of(message: Message) -> tuple[tuple[str, bytes | None], ...] | None:
    """The headers of a record; None when the name of one is not UTF-8, and so none can be had.

    May be called once for a message: confluent-kafka (2.16) fails with a SystemError then, and a second call
    hands out what cannot be touched.
    """
    try:
        return cast("tuple[tuple[str, bytes | None], ...]", tuple(message.headers() or ()))
    except SystemError:
        return None


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What the broker says of a topic."""

    name: str
    topic_id: str
    partitions: int
    max_message_bytes: int
    compacted: bool = False
    """It keeps the newest record of each key for ever."""


def connect(
    kafka: KafkaSettings,
    now: Callable[[], float] = time.monotonic,
    *,
    told_to_stop: Callable[[], bool] = lambda: False,
) -> AdminClient:
    """An admin client whose broker answered, waiting up to `startup_timeout_seconds`.

    Stopped when it was told to stop while it waited.
    UserError when the settings are wrong (name, password, certificate) or nothing answers in time.
    """
    problems: list[KafkaError] = []
    config = client_config(kafka, {"error_cb": problems.append})
    try:
        admin = AdminClient(config)
    except (KafkaException, ValueError, TypeError) as error:
        raise UserError(f"The Kafka settings are not valid: {_said(error)}.") from None
    deadline = now() + kafka.startup_timeout_seconds
    while True:
        try:
            admin.list_topics(timeout=max(0.1, min(2.0, deadline - now())))
        except KafkaException as error:
            problems.append(error.args[0])
            admin.poll(0.1)  # Serves error_cb, which tells a wrong password from a broker that is away.
        else:
            return admin
        if hopeless := next((p for p in problems if p.code() in _HOPELESS), None):
            raise UserError(_hopeless(kafka.bootstrap_servers, hopeless))
        if told_to_stop():
            raise Stopped("Told to stop before Kafka answered.")
        if now() >= deadline:
            # The longest one is the one that guesses at the cause, such as TLS where the broker speaks none.
            reason = max((_reason(p) for p in problems if _FROM_A_BROKER.match(p.str())), key=len, default="")
            raise UserError(
                f"No Kafka broker answered at {kafka.bootstrap_servers} within"
                f" {kafka.startup_timeout_seconds:g} s (NIFOS_KAFKA__BOOTSTRAP_SERVERS)"
                + (f": {reason}" if reason else "")
                + ("" if reason.endswith("?") else ".")
            )


_HOPELESS = {
    KafkaError._AUTHENTICATION: "Kafka at {0} refused the user name or password.",  # noqa: SLF001
    KafkaError.SASL_AUTHENTICATION_FAILED: "Kafka at {0} refused the user name or password.",
    KafkaError._RESOLVE: "The host name of Kafka, {0}, cannot be resolved.",  # noqa: SLF001
    KafkaError._SSL: "TLS with Kafka at {0} failed: {1}.",  # noqa: SLF001
}


_FROM_A_BROKER = re.compile(r"\S+/(bootstrap|\d+): ")
_WHEN = re.compile(r" \(after \d+ms in state \w+\)$")


def _hopeless(address: str, error: KafkaError) -> str:
    if "mechanism handshake failed" in error.str():
        return f"Kafka at {address} does not take the sasl.mechanism: {_reason(error)}."
    return _HOPELESS[error.code()].format(address, _reason(error))


def _reason(error: KafkaError) -> str:
    """What librdkafka says of a connection, without whose it was and when."""
    return _WHEN.sub("", _FROM_A_BROKER.sub("", error.str(), count=1))


def _said(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return (first.str() if isinstance(first, KafkaError) else str(first)).rstrip(".")


def topic_facts(
    admin: AdminClient, names: Iterable[str], timeout_seconds: float = 10.0
) -> dict[str, TopicFacts]:
    """Facts of the topics among `names` that exist.

    UserError when this user may not see one of them, BrokerUnavailable when the broker does not answer.
    """
    wanted = list(names)
    facts: dict[str, TopicFacts] = {}
    try:
        described = admin.describe_topics(TopicCollection(wanted), request_timeout=timeout_seconds)
        for name, future in described.items():
            try:
                topic = future.result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    continue
                raise
            resource = ConfigResource(ResourceType.TOPIC, name)
            config = admin.describe_configs([resource], request_timeout=timeout_seconds)[resource].result()
            largest = int(config["max.message.bytes"].value)
            compacted = config["cleanup.policy"].value == "compact"
            facts[name] = TopicFacts(name, str(topic.topic_id), len(topic.partitions), largest, compacted)
    except KafkaException as error:
        if error.args[0].code() in _FORBIDDEN:
            raise UserError(
                f"Kafka does not let this user describe the topics {', '.join(wanted)} and their settings"
                f" (Describe and DescribeConfigs): {_said(error)}."
            ) from None
        raise BrokerUnavailable(f"Kafka did not describe the topics: {_said(error)}.") from None
    return facts


_FORBIDDEN = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)


def create_topics(admin: AdminClient, settings: Settings, timeout_seconds: float = 30.0) -> dict[str, bool]:
    """Create the five topics where they are missing; {name: created now}. UserError when Kafka refuses."""
    futures = admin.create_topics(_wanted(settings), request_timeout=timeout_seconds)
    created: dict[str, bool] = {}
    for name, future in futures.items():
        try:
            future.result()
            created[name] = True
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise UserError(f"Topic {name} cannot be created: {_said(error)}.") from None
            created[name] = False
    return created


def retention_days(settings: Settings) -> dict[str, float]:
    """Days that each topic keeps its messages; the compacted watch list is not among them."""
    topics = settings.topics
    return {
        topics.posts: topics.posts_retention_days,
        topics.sentiment: topics.sentiment_retention_days,
        topics.dead_letters: topics.dead_letters_retention_days,
        topics.alerts: topics.alerts_retention_days,
    }


def _wanted(settings: Settings) -> list[NewTopic]:
    topics = settings.topics
    roomy = topics.max_message_bytes + ENVELOPE_BYTES
    largest = {topics.sentiment: roomy, topics.dead_letters: roomy}
    wanted = [
        NewTopic(
            name,
            # One worker at a time evaluates, so that more partitions of alerts would be of no use.
            num_partitions=1 if name == topics.alerts else topics.partitions,
            replication_factor=topics.replication_factor,
            config={
                "retention.ms": str(int(days * DAY_MS)),
                "max.message.bytes": str(largest.get(name, topics.max_message_bytes)),
            },
        )
        for name, days in retention_days(settings).items()
    ]
    compacted = {"cleanup.policy": "compact"}
    wanted.append(NewTopic(topics.keywords, 1, topics.replication_factor, config=compacted))
    return wanted


def missing(facts: Mapping[str, TopicFacts], names: Iterable[str]) -> list[str]:
    """One sentence per topic among `names` that is not there."""
    return [
        f"Topic {name} does not exist; `nifos-stream topics create` makes it."
        for name in names
        if name not in facts
    ]


def missing_or_tight(facts: Mapping[str, TopicFacts], settings: Settings) -> list[str]:
    """One sentence per topic that is missing, or has no room for what the input may bring."""
    topics = settings.topics
    sentences = missing(facts, (topics.posts, topics.sentiment, topics.dead_letters))
    if topics.posts in facts:
        needed = facts[topics.posts].max_message_bytes + ENVELOPE_BYTES
        sentences += [
            f"Topic {name} takes messages of {facts[name].max_message_bytes} bytes; {topics.posts} needs it"
            f" to take {needed} (max.message.bytes)."
            for name in (topics.sentiment, topics.dead_letters)
            if name in facts and facts[name].max_message_bytes < needed
        ]
    return sentences
