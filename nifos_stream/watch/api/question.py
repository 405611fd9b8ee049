"""What a caller may ask of the counts, from the query of a URL. Reads nothing."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nifos_stream.counters.reader import Counts, Filter
from nifos_stream.counters.shapes import Window
from nifos_stream.counters.wanted import read_label, read_where
from nifos_stream.errors import Refusal, UserError
from nifos_stream.watch.analyst import MOST_WORDS
from nifos_stream.watch.analyst import Asked as AskedWords

MOST_POSTS = 500
_MOST_FILTERS = 4
_LONGEST_VALUE = 200
_Where = Annotated[
    list[str],
    Field(
        default_factory=list,
        max_length=_MOST_FILTERS,
        description="DIMENSION=VALUE, only posts with this value: keyword=산불; each dimension once.",
    ),
]
_NOT_BOTH = "Give a window that ends at `to`, or `from` and `to`, not both window and from."


@dataclass(frozen=True, slots=True)
class Question:
    """One question; equal ones have equal answers at the same moment."""

    window: str
    by: str | None = None
    where: tuple[tuple[str, str], ...] = ()
    start: str | None = None
    end: str | None = None
    grain: str | None = None

    def ask(self, counts: Counts) -> Window:
        """The answer. RedisAway; UserError for what cannot be asked."""
        return counts.window(
            self.window,
            by=self.by,
            where=dict(self.where),
            start=self.start,
            end=self.end,
            grain=self.grain,
        )


class Asked(BaseModel):
    """The parameters of a URL."""

    model_config = ConfigDict(extra="forbid")

    window: str | None = Field(
        None, max_length=16, description="Length that ends now, or at `to`: 15m, 24h, 7d; 1h without it."
    )
    start: str | None = Field(
        None, alias="from", max_length=64, description="Date or time of the start, instead of `window`."
    )
    end: str | None = Field(None, alias="to", max_length=64, description="Date or time of the end; now.")
    by: str | None = Field(None, max_length=64, description="source, channel, keyword or revision.")
    grain: str | None = Field(
        None, max_length=16, description="Step of the series: 10s, 1m, 1h, 1d, month or year."
    )
    where: _Where

    def question(self) -> Question:
        """The question, in the one form that equal questions share. UserError when it contradicts itself."""
        if self.window is not None and self.start is not None:
            raise UserError(_NOT_BOTH, Refusal.WINDOW_AND_FROM)
        return Question(
            window=self.window or "1h",
            by=self.by or None,
            where=tuple(sorted(read_where(self.where).items())),
            start=_moment(self.start),
            end=_moment(self.end),
            grain=self.grain or None,
        )


class AskedPosts(BaseModel):
    """The parameters of a URL that asks for posts."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=MOST_POSTS, description="How many posts, at most.")
    label: str | None = Field(None, max_length=16, description="negative, neutral or positive.")
    where: _Where
    text: str | None = Field(None, max_length=_LONGEST_VALUE, description="Stands in its title or text.")

    def filter(self) -> Filter:
        """Which posts are wanted. UserError for a label or a dimension that there is not."""
        return Filter.where(read_where(self.where), self.label, self.text)


class AskedDrivers(BaseModel):
    """The parameters of a URL that asks for words."""

    model_config = ConfigDict(extra="forbid")

    window: str | None = Field(None, max_length=16, description="Length that ends now, or at `to`: 1h.")
    start: str | None = Field(None, alias="from", max_length=64, description="Instead of `window`.")
    end: str | None = Field(None, alias="to", max_length=64, description="Date or time of the end; now.")
    label: str = Field("negative", max_length=16, description="negative, neutral or positive.")
    where: _Where
    limit: int = Field(20, ge=1, le=MOST_WORDS, description="How many words, at most.")

    def question(self) -> AskedWords:
        """The question. UserError when it contradicts itself, or for a label that there is not."""
        if self.window is not None and self.start is not None:
            raise UserError(_NOT_BOTH, Refusal.WINDOW_AND_FROM)
        return AskedWords(
            label=read_label(self.label),
            wanted=Filter.where(read_where(self.where)),
            window=self.window or "1h",
            start=_moment(self.start),
            end=_moment(self.end),
            limit=self.limit,
        )


def _moment(value: str | None) -> str | None:
    # A plus that nobody escaped arrives as a space: 2026-05-01T09:00:00 09:00.
    return re.sub(r"(T\S*) (\d\d:?\d\d)$", r"\1+\2", value) if value else None
