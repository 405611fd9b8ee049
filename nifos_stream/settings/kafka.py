"""Settings of Kafka: how to reach it, and its topics. Knows no client."""

import re

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, field_serializer, field_validator

from nifos_stream.settings.section import Section

# The promises rest on these: whoever may set them can lose or double messages without a word.
REFUSED_PROPERTIES = frozenset(
    {
        "acks",
        "auto.offset.reset",
        "bootstrap.servers",
        "delivery.report.only.error",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.idempotence",
        "enable.partition.eof",
        "group.id",
        "isolation.level",
        "metadata.broker.list",
        "request.required.acks",
        "transactional.id",
    }
)

_SECRET_PROPERTY = re.compile(r"password|passphrase|secret|oauthbearer\.config|\.pem$", re.IGNORECASE)


class KafkaSettings(Section):
    """How to reach Kafka."""

    bootstrap_servers: str = Field(
        "127.0.0.1:9092", min_length=1, description="Brokers, host:port, by comma."
    )
    username: str | None = Field(
        None, description="SASL user name; by SCRAM-SHA-512 over TLS unless the properties say otherwise."
    )
    password: SecretStr | None = Field(None, description="SASL password.")
    properties: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="librdkafka properties for every client, e.g. `security.protocol`."
    )
    consumer_properties: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="librdkafka properties for consumers alone."
    )
    producer_properties: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="librdkafka properties for producers alone."
    )
    startup_timeout_seconds: PositiveFloat = Field(
        30.0, description="How long a broker may stay away at start."
    )
    retry_timeout_seconds: PositiveFloat = Field(
        120.0,
        description="How long a broker may stay away later, before the worker exits for its supervisor.",
    )

    @field_validator("properties", "consumer_properties", "producer_properties")
    @classmethod
    def _keep_promises(
        cls, properties: dict[str, str | int | float | bool]
    ) -> dict[str, str | int | float | bool]:
        for name in properties:
            if name.lower() in REFUSED_PROPERTIES:
                raise ValueError(f"{name} cannot be set: exactly-once delivery rests on it")
        return properties

    @field_serializer("properties", "consumer_properties", "producer_properties")
    def _hide_secrets(
        self, properties: dict[str, str | int | float | bool]
    ) -> dict[str, str | int | float | bool]:
        return {
            name: "**********" if _SECRET_PROPERTY.search(name) else value
            for name, value in properties.items()
        }


class TopicSettings(Section):
    """Names and shapes of the topics."""

    posts: str = Field("nifos.posts", min_length=1, description="Input: posts.")
    sentiment: str = Field("nifos.sentiment", min_length=1, description="Output: labelled posts.")
    dead_letters: str = Field(
        "nifos.dead-letters", min_length=1, description="Output: what could not be labelled."
    )
    alerts: str = Field("nifos.alerts", min_length=1, description="Output: alerts.")
    keywords: str = Field("nifos.keywords", min_length=1, description="Watch list (compacted).")
    partitions: PositiveInt = Field(9, description="Partitions of a topic that `topics create` makes.")
    replication_factor: PositiveInt = Field(1, description="Copies of each partition.")
    max_message_bytes: PositiveInt = Field(1_048_588, description="Largest message of the input topic.")
    posts_retention_days: PositiveFloat = Field(14, description="How long posts are kept.")
    sentiment_retention_days: PositiveFloat = Field(
        1830, description="How long labelled posts are kept; counts can be rebuilt as far back as this."
    )
    dead_letters_retention_days: PositiveFloat = Field(365, description="How long dead letters are kept.")
    alerts_retention_days: PositiveFloat = Field(365, description="How long alerts are kept.")
