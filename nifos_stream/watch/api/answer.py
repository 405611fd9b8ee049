"""What the API answers: the shapes that OpenAPI shows, and the counts written in them. Reads nothing."""

import json

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nifos_stream.counters.shapes import Window
from nifos_stream.messages import ModelRef, Sentence, Sentiment
from nifos_stream.model import ModelInfo, Reading, SentenceReading
from nifos_stream.watch import freshness, tables


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Numbers(_Shape):
    """How many posts (or sentences) have each label."""

    negative: int
    neutral: int
    positive: int
    total: int


class Balance(Numbers):
    """A count, and which way it leans."""

    net_sentiment: float | None = Field(description="(positive − negative) / total; null without posts.")


class Step(Numbers):
    """One point of the series."""

    start: AwareDatetime


class SentimentAnswer(_Shape):
    """The counts of [from, to), and how current they are."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to", description="Both ends are rounded outward to `grain`.")
    grain: str
    step: str = Field(description="Grain of `series`, whose first and last point may be cut by the ends.")
    total: Balance
    sentences: Numbers | None = Field(description="Counts of sentences; null where they are not counted.")
    by: str | None
    groups: dict[str, Balance] = Field(description="By value, largest first; empty without `by`.")
    other: Numbers = Field(description="What had no place among the groups, which then are lower bounds.")
    series: tuple[Step, ...]
    behind: int = Field(description="Labelled posts that are not counted yet.")
    behind_seconds: float | None = Field(description="Age of the last moment at which all were counted.")
    backlog: int | None = Field(description="Posts that are not labelled yet; null when unknown.")
    counted_since: AwareDatetime | None
    rebuilding: float | None = Field(description="Part done, while the counts are being filled.")


class Labelled(_Shape):
    """What the model says of a sentence."""

    sentiment: Sentiment
    model: ModelRef
    truncated: bool = Field(description="Something at the end of the text was not read.")


class Health(_Shape):
    """The program answers."""

    ok: bool


def written(window: Window) -> bytes:
    """A window as the JSON of a SentimentAnswer, on one line."""
    return dumped(
        {
            "from": window.start.isoformat(),
            "to": window.end.isoformat(),
            "grain": window.grain,
            "step": window.step,
            "total": tables.as_json(window.total),
            "sentences": None if window.sentences is None else tables.labels_json(window.sentences),
            "by": window.by,
            "groups": {name: tables.as_json(count) for name, count in window.groups.items()},
            "other": tables.labels_json(window.other),
            "series": [
                {"start": point.start.isoformat(), **tables.labels_json(point.count)}
                for point in window.series
            ],
            **freshness.as_json(window.freshness),
        }
    )


def labelled(info: ModelInfo, reading: Reading) -> Labelled:
    """A reading as labelled events have it."""
    return Labelled(
        sentiment=Sentiment.model_validate(
            {
                "label": reading.label,
                "label_ko": reading.label_ko,
                "score": reading.score,
                "probabilities": _probabilities(reading),
                "sentences": [_sentence(sentence) for sentence in reading.sentences] or None,
            }
        ),
        model=ModelRef(name=info.name, revision=info.revision),
        truncated=reading.truncated,
    )


def dumped(value: object) -> bytes:
    """JSON on one line, in UTF-8; a half of a surrogate pair that a stranger wrote becomes an escape."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")


def _sentence(sentence: SentenceReading) -> Sentence:
    return Sentence.model_validate(
        {
            "from": sentence.start,
            "to": sentence.end,
            "tokens": sentence.tokens,
            "label": sentence.label,
            "score": sentence.score,
            "probabilities": _probabilities(sentence),
        }
    )


def _probabilities(reading: Reading | SentenceReading) -> dict[str, float]:
    return dict(zip(("negative", "neutral", "positive"), reading.probabilities, strict=True))
