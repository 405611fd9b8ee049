"""Settings of the stage that labels. Knows no client and no model."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from nifos_stream.settings.section import Section


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
