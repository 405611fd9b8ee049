"""Every setting, its default and what it means, from NIFOS_* variables and a TOML file. Knows no client."""

import datetime as dt
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from nifos_stream.alert_settings import AlertSettings
from nifos_stream.errors import UserError
from nifos_stream.nearest import did_you_mean

# The promises rest on these: whoever may set them can lose or double messages without a word.
REFUSED_PROPERTIES = frozenset(
    {
        "acks",
        "auto.offset.reset",
        "bootstrap.servers",
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

_ADDRESS = r"^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$"


class Section(BaseModel):
    """A group of settings; a name that does not exist is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(Section):
    """How to reach Kafka."""

    bootstrap_servers: str = Field(
        "127.0.0.1:9092", min_length=1, description="Brokers, host:port, by comma."
    )
    username: str | None = Field(None, description="SASL user name.")
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


class StreamSettings(Section):
    """How the classifying stage reads, batches and publishes."""

    group_id: str = Field(
        "nifos-classify", min_length=1, description="Consumer group of the classifying stage."
    )
    delivery: Literal["exactly_once", "at_least_once"] = Field(
        "exactly_once",
        description="at_least_once is for clusters without transactions: a crash may double posts.",
    )
    batch_posts: PositiveInt = Field(2000, description="Most posts that one transaction commits.")
    batch_bytes: PositiveInt = Field(
        4_000_000, description="Most bytes of input that one transaction commits."
    )
    batch_seconds: PositiveFloat = Field(
        2.0,
        description="Longest that the forward pass of a batch should take; a slow machine takes fewer posts.",
    )
    max_wait_seconds: float = Field(0.0, ge=0, description="Longest a post waits for its batch to fill.")
    transaction_timeout_seconds: PositiveFloat = Field(
        15.0, description="When the broker gives up a transaction whose worker died."
    )
    handover_timeout_seconds: PositiveFloat = Field(
        10.0,
        description="How long a worker may finish the batch in hand when it loses partitions or is stopped.",
    )
    poison_ratio: float = Field(
        0.9, gt=0, le=1, description="Share of bad messages above which the worker stops."
    )
    poison_window: PositiveInt = Field(10_000, description="Messages over which that share is taken.")
    accept_bad: bool = Field(False, description="Go on through a storm of bad messages.")


class ModelSettings(Section):
    """Which model reads the posts, and how."""

    path: str = Field("bundled", min_length=1, description="`bundled`, a directory, or a name on the hub.")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:N.")
    dtype: Literal["auto", "fp32", "bf16", "fp16", "int8"] = Field(
        "auto", description="Arithmetic; auto takes the fastest by a short measurement."
    )
    max_length: NonNegativeInt = Field(0, description="Tokens of one text; 0 takes the model's own (60).")
    sentences: Literal["auto", "always", "never"] = Field(
        "auto", description="Split posts into sentences: only those that do not fit, all, or none."
    )
    max_sentences: PositiveInt = Field(64, description="Most sentences of one post that are read.")
    chunk_tokens: NonNegativeInt = Field(
        0, description="Tokens of one forward pass; 0 takes the measured best."
    )
    cache_entries: NonNegativeInt = Field(100_000, description="Texts whose labels are remembered.")
    threads: NonNegativeInt = Field(0, description="CPU threads of the forward pass; 0 leaves it to torch.")


class ShadowSettings(Section):
    """A second model whose labels are compared and not published."""

    path: str | None = Field(
        None,
        min_length=1,
        description="Second model: `bundled`, a directory, or a hub name; none without it.",
    )
    share: float = Field(0.1, gt=0, le=1, description="Share of the posts that it reads, too.")
    threads: PositiveInt = Field(1, description="CPU threads of its forward pass.")


GRAINS: dict[str, int] = {"10s": 10, "1m": 60, "1h": 3600, "1d": 86_400}
"""Seconds of each grain that is counted. A day is a calendar day of `timezone`."""


class RetentionSettings(Section):
    """How long each grain is kept."""

    ten_seconds_hours: PositiveFloat = Field(2, description="Hours that counts by 10 seconds are kept.")
    minutes_hours: PositiveFloat = Field(49, description="Hours that counts by minute are kept.")
    hours_days: PositiveFloat = Field(62, description="Days that counts by hour are kept.")
    days_days: PositiveFloat = Field(3660, description="Days that counts by day are kept.")

    def seconds(self) -> dict[str, int]:
        """Retention of each grain in seconds, by its name in GRAINS."""
        return {
            "10s": int(self.ten_seconds_hours * 3600),
            "1m": int(self.minutes_hours * 3600),
            "1h": int(self.hours_days * 86_400),
            "1d": int(self.days_days * 86_400),
        }


Dimension = Literal["source", "channel", "keyword", "revision", "source*keyword", "channel*keyword"]


class CounterSettings(Section):
    """What is counted. A change needs `nifos-stream counters rebuild`."""

    group_id: str = Field("nifos-counters", min_length=1, description="Consumer group of the counter view.")
    prefix: str = Field("nifos", pattern=r"^[^{}:\s]+$", description="First part of every Redis key.")
    dimensions: tuple[Dimension, ...] = Field(
        ("source", "channel", "keyword", "revision", "source*keyword", "channel*keyword"),
        description="By what posts are counted, beside all together.",
    )
    max_values: PositiveInt = Field(
        200, description="Values per partition, bucket and dimension; more are `other`."
    )
    always_values: dict[Dimension, tuple[str, ...]] = Field(
        default_factory=dict, description="Values that are never `other`, by dimension."
    )
    retention: RetentionSettings = RetentionSettings()
    future_tolerance_seconds: PositiveFloat = Field(
        600, description="How far ahead of its labelling a post may be dated before the date is not believed."
    )
    batch_events: PositiveInt = Field(5000, description="Most events that one call counts.")
    latest_posts: int = Field(
        200, ge=0, le=10_000, description="Latest posts kept per partition, for the feed; 0 keeps none."
    )
    sample_posts: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Posts kept as a sample per partition and stretch of time: each 10 minutes of the last 2"
        " hours, hour of 2 days and day of 2 weeks. So up to 85 times as many posts per partition, about 1 KB"
        " each: 8 MB per partition at 100. 0 keeps none.",
    )
    text_characters: int = Field(
        400, ge=20, le=10_000, description="Characters kept of the text of such a post."
    )


class RedisSettings(Section):
    """How to reach Redis."""

    url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="redis://, rediss://, unix://, redis+cluster://, rediss+cluster:// or redis+sentinel://.",
    )
    timeout_seconds: PositiveFloat = Field(5.0, description="Longest that one call may take.")


class HttpSettings(Section):
    """Health and metrics over HTTP."""

    listen: str | None = Field(None, pattern=_ADDRESS, description="HOST:PORT; off without it.")


class WebSettings(Section):
    """The HTTP API on the counts."""

    listen: str = Field(
        "127.0.0.1:8080",
        pattern=_ADDRESS,
        description="HOST:PORT; where other machines reach it, a token is needed.",
    )
    token: SecretStr | None = Field(
        None,
        min_length=8,
        description="What callers must show: `Authorization: Bearer TOKEN`, or `?token=TOKEN`.",
    )


class LogSettings(Section):
    """What is logged, and how."""

    format: Literal["auto", "console", "json"] = Field(
        "auto", description="console on a terminal, else json."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is shown."
    )


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone such as Asia/Seoul") from None
    return name


class Settings(BaseSettings):
    """All settings. A variable NIFOS_SECTION__NAME wins over the TOML file, which wins over the default."""

    model_config = SettingsConfigDict(
        env_prefix="NIFOS_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "Asia/Seoul", description="Where days begin, and where a time without zone was written."
    )
    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    stream: StreamSettings = StreamSettings()
    model: ModelSettings = ModelSettings()
    shadow: ShadowSettings = ShadowSettings()
    counters: CounterSettings = CounterSettings()
    alerts: AlertSettings = AlertSettings()
    redis: RedisSettings = RedisSettings()
    http: HttpSettings = HttpSettings()
    web: WebSettings = WebSettings()
    logs: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _distinct_topics(self) -> Self:
        names = [self.topics.posts, self.topics.sentiment, self.topics.dead_letters, self.topics.alerts]
        names.append(self.topics.keywords)
        if len(set(names)) < len(names):
            raise ValueError("two topics have the same name")
        return self

    @property
    def zone(self) -> dt.tzinfo:
        """`timezone` as a tzinfo."""
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the framework passes it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the TOML file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def load(config: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from arguments, environment and `config` (or else the file that NIFOS_CONFIG names).

    overrides: nested mapping, e.g. {"model": {"path": "…"}}. UserError names each setting that is wrong.
    """
    path = config or (Path(os.environ["NIFOS_CONFIG"]) if os.environ.get("NIFOS_CONFIG") else None)
    _refuse_unknown_variables(os.environ)
    settings_class: type[Settings] = Settings
    if path is not None:
        _refuse_unreadable(path)
        settings_class = type(
            "FileSettings", (Settings,), {"model_config": SettingsConfigDict(toml_file=path)}
        )
    try:
        return settings_class(**(overrides or {}))
    except ValidationError as error:
        raise UserError("; ".join(_sentence(problem) for problem in error.errors()) + ".") from None
    except SettingsError as error:
        raise UserError(f"Settings cannot be read: {error}.") from None


def _sentence(problem: ErrorDetails) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        return f"There is no setting {name}{did_you_mean(name, _names(Settings))}"
    if problem.get("ctx", {}).get("pattern") == _ADDRESS:
        return f"Setting {name}: {str(problem['input'])!r} is not HOST:PORT, such as 127.0.0.1:8080"
    return f"Setting {name}: {message}" if name else message


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the names of all sections and settings, such as `kafka` and `kafka.username`."""
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _names(field.annotation, f"{prefix}{name}.")


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """A misspelt section would be silently without effect; a misspelt name within one is refused anyway."""
    known = {"NIFOS_" + name.upper() for name in Settings.model_fields} | {"NIFOS_CONFIG", "NIFOS_DEBUG"}
    for variable in environment:
        if variable.upper().startswith("NIFOS_") and variable.upper().split("__")[0] not in known:
            variables = ("NIFOS_" + name.replace(".", "__").upper() for name in _names(Settings))
            near = did_you_mean(variable.upper(), variables)
            raise UserError(f"Environment variable {variable} sets nothing that exists{near}.")


def _refuse_unreadable(path: Path) -> None:
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"Settings file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"Settings file {path} is not TOML: {error}.") from None
