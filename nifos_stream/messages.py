"""What travels on the topics: posts, labelled posts, dead letters, alerts. Knows no Kafka and no model."""

import datetime as dt
import unicodedata
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo


class Label(StrEnum):
    """A sentiment. The order of the members is the order of the model's classes: 0, 1, 2."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


LABELS: tuple[Label, ...] = tuple(Label)
LABELS_KO: dict[Label, str] = {Label.NEGATIVE: "부정", Label.NEUTRAL: "중립", Label.POSITIVE: "긍정"}
SEOUL = ZoneInfo("Asia/Seoul")


def folded(text: str) -> str:
    """A text or a keyword as they are compared: composed (NFC), without case, each run of space as one."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _aware(value: object, info: ValidationInfo) -> object:
    """Read a date alone, or a time without zone, in the time zone of the validation context."""
    if not isinstance(value, str):
        raise ValueError("must be a string in RFC 3339, such as 2026-05-01T09:30:00+09:00")
    try:
        moment = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("is not a date or time in RFC 3339") from None
    if moment.tzinfo is None:
        zone = (info.context or {}).get("timezone", SEOUL)
        moment = moment.replace(tzinfo=zone)
    return moment


def _identifier(value: object) -> object:
    """Crawlers write numbers as identifiers too; a truth value or a fraction is a mistake."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _number(value: object) -> object:
    """A number may be written as a string; a truth value is a mistake."""
    if isinstance(value, bool):
        raise ValueError("is not a number")
    return value


def _words(value: object) -> object:
    """One keyword may stand alone, without a list around it."""
    return [value] if isinstance(value, str) else value


class Post(BaseModel):
    """A post or review as it stands on the input topic. Unknown fields are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Annotated[str, BeforeValidator(_identifier, json_schema_input_type=str | int)] = Field(
        min_length=1, description="Identifier of the post."
    )
    text: str = Field(description="What the person wrote.")
    title: str | None = Field(None, description="Title, where the source has one.")
    source: str | None = Field(None, description="Where it was written: twitter, naver_blog, instagram, …")
    channel: str | None = Field(None, description="Kind of source: sns, blog, review, news, or another.")
    created_at: Annotated[AwareDatetime, BeforeValidator(_aware, json_schema_input_type=str)] | None = Field(
        None,
        description="When it was written, RFC 3339; without a zone it is read in `timezone`.",
    )
    author: str | None = Field(None, description="Who wrote it.")
    url: str | None = Field(None, description="Where it can be read.")
    keywords: (
        Annotated[tuple[str, ...], BeforeValidator(_words, json_schema_input_type=str | tuple[str, ...])]
        | None
    ) = Field(None, description="Search words under which it was collected; one may stand alone.")
    rating: (
        Annotated[
            float, BeforeValidator(_number, json_schema_input_type=float | str), Field(allow_inf_nan=False)
        ]
        | None
    ) = Field(None, description="Stars or points that the author gave.")


class Probabilities(BaseModel):
    """Probability of each label; they sum to 1."""

    model_config = ConfigDict(frozen=True)

    negative: float = Field(ge=0, le=1)
    neutral: float = Field(ge=0, le=1)
    positive: float = Field(ge=0, le=1)


class Sentence(BaseModel):
    """One sentence of a post that was split, as the model read it."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    start: int = Field(alias="from", ge=0, description="First code point of `text`.")
    end: int = Field(alias="to", ge=0, description="Code point of `text` after the last.")
    tokens: int = Field(ge=0, description="Tokens that the model read; 0 when cleaning left nothing.")
    label: Label | None = Field(description="Most probable label; null when cleaning left nothing.")
    score: float | None = Field(description="Probability of that label.")
    probabilities: Probabilities | None


class Sentiment(BaseModel):
    """What the model says of a post."""

    model_config = ConfigDict(frozen=True)

    label: Label = Field(description="Most probable label.")
    label_ko: str = Field(description="The label in Korean: 부정, 중립 or 긍정.")
    score: float = Field(ge=0, le=1, description="Probability of the label.")
    probabilities: Probabilities = Field(description="Mean over the sentences, weighted by tokens.")
    sentences: tuple[Sentence, ...] | None = Field(None, description="Only when the post was split.")


class ModelRef(BaseModel):
    """Which model labelled a post."""

    model_config = ConfigDict(frozen=True)

    name: str
    revision: str = Field(description="Hash of the weights and of what else decides a label.")


class Origin(BaseModel):
    """The input record that an event was made from."""

    model_config = ConfigDict(frozen=True)

    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    timestamp: int = Field(
        description="Timestamp of the record, milliseconds since 1970; -1 when it had none."
    )


class LabelledPost(Post):
    """A post with its sentiment, as it stands on the labelled topic."""

    sentiment: Sentiment
    model: ModelRef
    labelled_at: AwareDatetime
    origin: Origin
    matched_keywords: tuple[str, ...] = Field(description="Words of the watch list found in title or text.")
    truncated: bool = Field(description="True when the post was longer than `max_sentences` pieces.")
    original: dict[str, Any] | None = Field(
        None, description="Values that the post itself had under one of the names that an event adds."
    )


class WatchedWord(BaseModel):
    """Value of a word in the topic of the watch list; the word is the key. No value takes it off the list."""

    model_config = ConfigDict(frozen=True)

    added_at: AwareDatetime | None = Field(None, description="When it was added.")
    compounds: bool = Field(False, description="Also found where a longer word begins so: 산불감시원.")


LETTER_HEADERS = (
    "nifos.reason",
    "nifos.detail",
    "nifos.topic",
    "nifos.partition",
    "nifos.offset",
    "nifos.timestamp",
    "nifos.failed_at",
    "nifos.version",
)
"""Headers that a dead letter has after the message's own, in this order, each value in UTF-8."""
REDRIVEN_HEADER = "nifos.redriven"
"""On a valueless record of the dead-letter topic: `PARTITION:OFFSET` of the letter that was sent in again."""


class DeadLetter(BaseModel):
    """A message that could not be labelled, as `dead-letters list --json` shows it."""

    model_config = ConfigDict(frozen=True)

    partition: int = Field(description="Partition in the dead-letter topic.")
    offset: int = Field(description="Offset in the dead-letter topic.")
    reason: str
    detail: str
    origin: Origin
    failed_at: AwareDatetime
    version: str = Field(description="Version of the program that gave it up.")
    redriven: bool
    key: str | None
    value: str | None = Field(description="The message as text; bytes that are not UTF-8 are escaped.")
    key_base64: str | None
    value_base64: str | None


class AlertEvent(BaseModel):
    """An alert, as it stands on the alerts topic when it begins and, with the same key, when it ends."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="Key of the record; made of rule, dimension, value and beginning.")
    rule: str = Field(description="Name of the rule.")
    kind: Literal["surge", "threshold", "silence"]
    dimension: str = Field(description="all, source, channel or keyword.")
    value: str | None = Field(description="Of the dimension; null for all posts together.")
    metric: str = Field(description="posts, negative, negative_share, …: what made it begin.")
    started_at: AwareDatetime = Field(description="End of the first window for which the rule held.")
    ended_at: AwareDatetime | None = Field(description="Since when all is calm; null while it is open.")
    summary: str = Field(description="One sentence for a person.")
    evidence: dict[str, Any] = Field(
        description="As at the beginning: the window (`from`, `to`), its `count` by label, `negative_share`"
        " (null without posts); of a surge or silence `usual`, `days`, of a surge `ratio`, `score`, `line`;"
        " of a threshold `number`, `line`; `drivers`, the `words` that set the posts of a label apart, with"
        " how many posts they rest on, where they could be found; and `posts`, some of them, the newest"
        " first."
    )
