"""Settings of Redis, of what answers over HTTP, and of logs. Knows no client and no server."""

from typing import Literal

from pydantic import Field, PositiveFloat, SecretStr

from nifos_stream.settings.section import ADDRESS, Section


class RedisSettings(Section):
    """How to reach Redis."""

    url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="redis://, rediss://, unix://, redis+cluster://, rediss+cluster:// or redis+sentinel://.",
    )
    timeout_seconds: PositiveFloat = Field(5.0, description="Longest that one call may take.")


class HttpSettings(Section):
    """Health and metrics over HTTP."""

    listen: str | None = Field(None, pattern=ADDRESS, description="HOST:PORT; off without it.")


class WebSettings(Section):
    """The HTTP API on the counts."""

    listen: str = Field(
        "127.0.0.1:8080",
        pattern=ADDRESS,
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
