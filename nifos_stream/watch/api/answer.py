"""What the API answers: the shapes that OpenAPI shows, and the counts written in them. Reads nothing."""

import json

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nifos_stream.counters.posts import as_json
from nifos_stream.counters.reader import Latest, Window
from nifos_stream.messages import Label, ModelRef, Probabilities, Sentence, Sentiment
from nifos_stream.model import ModelInfo, Reading, SentenceReading
from nifos_stream.watch import freshness, tables
from nifos_stream.watch.analyst import Found, drivers_json


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
    behind: int | None = Field(description="Labelled posts that are not counted yet; null when unknown.")
    behind_seconds: float | None = Field(description="Age of the last moment at which all were counted.")
    backlog: int | None = Field(description="Posts that are not labelled yet; null when unknown.")
    counted_since: AwareDatetime | None
    rebuilding: float | None = Field(description="Part done, while the counts are being filled.")


class Origin(_Shape):
    """The record of the input topic that a post was; null where its event does not say so."""

    partition: int | None
    offset: int | None


class Post(_Shape):
    """A labelled post. What strangers wrote is text: it may look like markup, and is none."""

    id: str
    text: str = Field(description="Its beginning, where it is longer than what is kept.")
    title: str | None
    source: str | None
    channel: str | None
    author: str | None
    url: str | None = Field(description="As a stranger gave it; it may be of any scheme.")
    created_at: AwareDatetime = Field(description="When it was written, as it is counted.")
    labelled_at: AwareDatetime
    keywords: tuple[str, ...] = Field(description="Those under which it was collected.")
    matched_keywords: tuple[str, ...] = Field(description="Those of the watch list found in it.")
    label: Label
    label_ko: str
    score: float | None = Field(description="Probability of the label; null where the event has none.")
    probabilities: Probabilities | None = Field(description="Of each label; null where the event has none.")
    origin: Origin


class PostsAnswer(_Shape):
    """The latest posts, newest first, and how current they are."""

    posts: tuple[Post, ...]
    behind_seconds: float | None = Field(description="Age of the last moment at which none was missing.")


class Driver(_Shape):
    """A word that sets the posts of a label apart."""

    word: str
    z: float = Field(description="The lesser of z_before and z_rest; from about 2 on hardly by chance.")
    z_before: float | None = Field(description="From the window before; null when it has no posts.")
    z_rest: float | None = Field(description="From the other labels; null when they have no posts.")
    count: int = Field(description="Posts with the word.")
    count_before: int
    count_rest: int
    posts: tuple[Post, ...] = Field(description="The newest with the word.")


class DriversAnswer(_Shape):
    """The words that set the posts of a label apart from the window before and from the other labels."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    label: Label
    posts: int = Field(description="Posts of the label in the window that the words rest on.")
    posts_before: int = Field(description="The same of the window before, which is as long.")
    posts_rest: int = Field(description="Posts of the other labels in the window.")
    worth: int = Field(
        description="Posts that tell as much as `posts` do; fewer, where busy hours are sampled thinner."
    )
    worth_before: int
    worth_rest: int
    counted: int | None = Field(description="Counted of those in `posts`; null where that is not known.")
    counted_before: int | None = Field(description="The same of `posts_before`.")
    counted_rest: int | None = Field(description="The same of `posts_rest`.")
    whole: bool = Field(description="These are all the posts, not a sample of them.")
    kept_since: AwareDatetime | None = Field(
        description="Where the posts that are kept begin; null when both windows lie behind that."
    )
    unread: int = Field(description="Posts that were not read for their words yet; ask again.")
    words: tuple[Driver, ...] = Field(description="Furthest apart first.")
    behind_seconds: float | None


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
    return dumped(window_json(window))


def window_json(window: Window) -> dict[str, object]:
    """The members of a SentimentAnswer."""
    return {
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
            {"start": point.start.isoformat(), **tables.labels_json(point.count)} for point in window.series
        ],
        **freshness.as_json(window.freshness),
    }


def latest_written(latest: Latest) -> bytes:
    """The latest posts as the JSON of a PostsAnswer, on one line."""
    behind_seconds = freshness.as_json(latest.freshness)["behind_seconds"]
    return dumped({"posts": list(map(as_json, latest.posts)), "behind_seconds": behind_seconds})


def drivers_written(found: Found) -> bytes:
    """What drives the counts as the JSON of a DriversAnswer, on one line."""
    return dumped(drivers_json(found))


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
