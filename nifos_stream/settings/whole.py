"""All settings together, and where they come from. Reads no file."""

import datetime as dt
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from nifos_stream.settings.alerts import AlertSettings
from nifos_stream.settings.counters import CounterSettings
from nifos_stream.settings.kafka import KafkaSettings, TopicSettings
from nifos_stream.settings.model import ModelSettings, ShadowSettings
from nifos_stream.settings.servers import HttpSettings, LogSettings, RedisSettings, WebSettings
from nifos_stream.settings.stream import StreamSettings


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
