"""Settings of alerts: the rules, and who is told. Knows no count and no client."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    HttpUrl,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from nifos_stream.nearest import did_you_mean
from nifos_stream.settings.section import Section

RuleDimension = Literal["all", "source", "channel", "keyword"]
Metric = Literal[
    "posts", "negative", "neutral", "positive", "negative_share", "neutral_share", "positive_share"
]
"""A number of posts, or the part of the posts that has a label, from 0 to 1."""
_EVERYWHERE: tuple[RuleDimension, ...] = ("all", "source", "channel", "keyword")


class _Rule(Section):
    name: str = Field(pattern=r"^[\w.-]{1,64}$", description="What its alerts are called by.")
    dimensions: tuple[RuleDimension, ...] = Field(
        _EVERYWHERE, min_length=1, description="Of what it looks at every value; `all` is all posts together."
    )
    values: tuple[str, ...] = Field((), description="Only these values; all of them without it.")
    calm_minutes: PositiveInt = Field(
        5, le=1440, description="How long all must be calm before an alert ends."
    )


class _Historical(_Rule):
    history_days: int = Field(14, ge=3, le=60, description="Days before that are compared with.")
    min_days: PositiveInt = Field(3, description="Fewest of them; a younger value is left alone.")

    @model_validator(mode="after")
    def _enough_days(self) -> Self:
        if self.min_days > self.history_days:
            raise ValueError("min_days is more than history_days")
        return self


class SurgeRule(_Historical):
    """More than this value usually has at this time of the day."""

    kind: Literal["surge"] = "surge"
    metrics: tuple[Metric, ...] = Field(
        ("negative", "negative_share"), min_length=1, description="Any of these may surge."
    )
    window_minutes: int = Field(5, ge=1, le=60, description="Length of what is compared, each minute.")
    min_count: PositiveInt = Field(10, description="Fewest posts of the metric's label in the window.")
    min_ratio: float = Field(1.5, ge=1, description="Least rise: times the usual count, or the usual odds.")
    false_alarms_per_week: PositiveFloat = Field(
        0.1, description="How many may be expected by chance, over all values that the rule looks at."
    )


LEAST_POSTS_OF_A_SHARE = 20


class ThresholdRule(_Rule):
    """Above or below a line, whatever was before.

    What is not there: a window without posts has the number 0, which lies below a line, and no share, which
    lies on neither side of it. `below` a number is held against named values always, and else against every
    value from a day after its first post until two weeks after its last: an alert on a value that is gone for
    longer ends. `min_posts` holds for shares and numbers; a window with fewer posts crosses no line, and an
    alert is calm in it.
    """

    kind: Literal["threshold"] = "threshold"
    metric: Metric = Field("negative_share", description="What is held against the line.")
    above: float | None = Field(None, ge=0, description="Alert above it.")
    below: float | None = Field(None, gt=0, description="Or below it.")
    clear: float | None = Field(
        None, ge=0, description="Where it is calm again; a tenth back from the line without it."
    )
    window_minutes: int = Field(60, ge=1, le=1440, description="Length of what is looked at, each minute.")
    min_posts: int | None = Field(
        None, ge=0, description="Fewest posts in the window; without it 20 for a share, and 0 for a number."
    )

    @model_validator(mode="after")
    def _one_line(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("a threshold rule has one of above and below")
        line = self.above if self.above is not None else self.below
        if line is not None and line > 1 and self.is_share():
            raise ValueError("a share lies between 0 and 1")
        if self.metric == "posts" and self.below is not None and self.below <= self.fewest_posts():
            raise ValueError("fewer than min_posts posts cross no line")
        if self.clear is not None and line is not None and (self.clear > line) == (self.above is not None):
            raise ValueError("clear lies on the calm side of the line")
        return self

    def is_share(self) -> bool:
        """Whether a part of the posts is held against the line."""
        return self.metric.endswith("_share")

    def fewest_posts(self) -> int:
        """How many posts a window has, at least, that crosses the line."""
        if self.min_posts is not None:
            return self.min_posts
        return LEAST_POSTS_OF_A_SHARE if self.is_share() else 0

    def clears_at(self) -> float:
        """Where it is calm again."""
        if self.clear is not None:
            return self.clear
        return 0.9 * self.above if self.above is not None else 1.1 * (self.below or 0.0)


class SilenceRule(_Historical):
    """No post at all, where there usually are some."""

    kind: Literal["silence"] = "silence"
    dimensions: tuple[RuleDimension, ...] = Field(("all", "source"), min_length=1)
    window_minutes: int = Field(30, ge=1, le=1440, description="How long there must be none.")
    min_expected: float = Field(
        20, ge=0, description="Posts that the window usually has, at least; with 0 `values` must be named."
    )

    @model_validator(mode="after")
    def _knows_whom(self) -> Self:
        if not self.min_expected and not self.values and "all" not in self.dimensions:
            raise ValueError("with min_expected = 0 the values must be named")
        return self


Rule = Annotated[SurgeRule | ThresholdRule | SilenceRule, Field(discriminator="kind")]
RULES: dict[str, type[_Rule]] = {"surge": SurgeRule, "threshold": ThresholdRule, "silence": SilenceRule}

DEFAULT_RULES: tuple[Rule, ...] = (
    SurgeRule(name="negative-surge"),
    SurgeRule(name="volume-surge", metrics=("posts",), min_count=30, min_ratio=2.0),
    SilenceRule(name="silent-source"),
)


class Webhook(Section):
    """Whom to tell over HTTP."""

    name: str = Field("webhook", pattern=r"^[\w.-]{1,64}$", description="Each has another.")
    url: SecretStr = Field(description="http:// or https://; as good as a password with many services.")
    secret: SecretStr | None = Field(None, min_length=8, description="Signs what is sent.")
    rules: tuple[str, ...] = Field((), description="Only alerts of these rules.")
    ended: bool = Field(True, description="Also when an alert ends.")
    timeout_seconds: PositiveFloat = Field(
        10.0, le=120, description="Longest that one try may take, all of it."
    )
    give_up_seconds: PositiveFloat = Field(3600.0, description="How long it is tried again.")

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: SecretStr) -> SecretStr:
        HttpUrl(url.get_secret_value())
        return url


class AlertSettings(Section):
    """When people are told to look. Rules and webhooks are easiest written as `[[alerts.rules]]` in TOML."""

    group_id: str = Field(
        "nifos-alerts", min_length=1, description="Consumer group in which one worker at a time evaluates."
    )
    rules: tuple[Rule, ...] = Field(DEFAULT_RULES, description="The rules; [] turns alerts off.")
    webhooks: tuple[Webhook, ...] = Field((), description="Whom to tell over HTTP.")
    delay_minutes: int = Field(
        0, ge=0, le=1440, description="How late posts come in; windows end so long ago."
    )
    settle_seconds: PositiveFloat = Field(10.0, description="How long after a minute it is looked at.")
    most_open: PositiveInt = Field(100, description="Alerts that may be open at once.")
    kept: PositiveInt = Field(1000, description="Ended alerts that the API and `alerts list` can show.")

    @field_validator("rules", mode="wrap")
    @classmethod
    def _name_the_wrong_rule(cls, rules: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(rules)
        except ValidationError as error:
            raise ValueError("; ".join(_wrong_rules(rules, error.errors()))) from None

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for what, names in (
            ("rules", [rule.name for rule in self.rules]),
            ("webhooks", [hook.name for hook in self.webhooks]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what} have the same name")
        if unknown := {name for hook in self.webhooks for name in hook.rules} - {r.name for r in self.rules}:
            raise ValueError(f"a webhook names a rule that is not there: {', '.join(sorted(unknown))}")
        return self


def _wrong_rules(rules: Any, problems: list[ErrorDetails]) -> Iterator[str]:
    """What is wrong with each rule, under the name that whoever wrote it knows it by."""
    for problem in problems:
        number, *place = problem["loc"] or (None,)
        rule = rules[number] if isinstance(rules, list | tuple) and isinstance(number, int) else None
        if not isinstance(rule, Mapping):
            yield problem["msg"]
            continue
        kind = rule.get("kind")
        field = ".".join(str(part) for part in place if part != kind)
        yield f"rule {rule.get('name') or f'number {int(str(number)) + 1}'}: {_wrong(problem, field, kind)}"


def _wrong(problem: ErrorDetails, field: str, kind: Any) -> str:
    if problem["type"].startswith("union_tag"):
        return f"its kind is one of {', '.join(RULES)}"
    if problem["type"] == "extra_forbidden" and kind in RULES:
        return f"there is no setting {field}{did_you_mean(field, RULES[kind].model_fields)}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message
