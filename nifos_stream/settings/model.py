"""Settings of the model, and of a second one beside it. Knows no file."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from nifos_stream.settings.section import Section


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
    cache_entries: NonNegativeInt = Field(
        50_000, description="Texts whose labels, and pieces, are remembered; 0 remembers none."
    )
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
