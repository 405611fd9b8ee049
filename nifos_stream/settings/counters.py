"""Settings of what is counted, and how long that is kept. Knows no Redis."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from nifos_stream.settings.section import Section

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
