"""The errors that reach a person, and the exit code of each. Knows nothing of where they arise."""

from enum import StrEnum


class NifosError(Exception):
    """Something a supervisor should see. Its message is one sentence; the program exits with `exit_code`."""

    exit_code = 1


class Stopped(NifosError):
    """The program was told to stop before it had begun what it was about to do: no failure."""

    exit_code = 0


class Refusal(StrEnum):
    """Why a question is refused: which sentence it is, for a program that says it in another language."""

    WINDOW_UNREADABLE = "window_unreadable"
    WINDOW_EMPTY = "window_empty"
    WINDOW_AND_FROM = "window_and_from"
    MOMENT_UNREADABLE = "moment_unreadable"
    GRAIN_UNKNOWN = "grain_unknown"
    NOT_KEPT = "not_kept"
    TOO_MANY_POINTS = "too_many_points"
    DIMENSION_UNKNOWN = "dimension_unknown"
    NOT_COUNTED = "not_counted"
    NOT_COUNTED_TOGETHER = "not_counted_together"
    NOT_KEPT_BY = "not_kept_by"
    WHERE_UNREADABLE = "where_unreadable"
    WHERE_WITHOUT_VALUE = "where_without_value"
    WHERE_TWICE = "where_twice"
    LABEL_UNKNOWN = "label_unknown"
    PARAMETER_UNREADABLE = "parameter_unreadable"
    PARAMETER_TOO_LONG = "parameter_too_long"
    BODY_UNREADABLE = "body_unreadable"
    BODY_TOO_LARGE = "body_too_large"
    TOO_MANY_QUESTIONS = "too_many_questions"
    TOO_MANY_SENTENCES = "too_many_sentences"
    REDIS_AWAY = "redis_away"
    REDIS_LOGIN_REFUSED = "redis_login_refused"
    HALF_REBUILT = "half_rebuilt"
    REBUILT_TOO_FAST = "rebuilt_too_fast"
    WORDS_MISSING = "words_missing"
    MODEL_MISSING = "model_missing"
    NOTHING_TO_READ = "nothing_to_read"
    NO_LABEL = "no_label"
    GOING_DOWN = "going_down"
    BROKEN = "broken"
    TOKEN_NEEDED = "token_needed"  # noqa: S105 - the name of a sentence
    OTHER_ADDRESS = "other_address"
    OTHER_SITE = "other_site"


Named = str | tuple[str, ...]
"""What stands in a sentence: a text, or names of the API, such as dimensions."""


class UserError(NifosError):
    """Wrong use, wrong settings, or something missing that a person has to mend.

    refusal: which sentence it is, where it answers a question; named: what stands in that sentence.
    """

    exit_code = 2

    def __init__(self, said: str, refusal: Refusal | None = None, /, **named: Named) -> None:
        super().__init__(said)
        self.refusal = refusal
        self.named = named


class BrokerUnavailable(NifosError):
    """Kafka did not answer within the stated time. A supervisor should start the program again."""


class PoisonStorm(NifosError):
    """Nearly every message is bad, and the worker was told to end rather than wait for a person."""

    exit_code = 3


class Reason(StrEnum):
    """Why a message went to the dead letters."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_DEEP = "too_deep"
    NO_VALUE = "no_value"
    INVALID_POST = "invalid_post"
    EMPTY_TEXT = "empty_text"
    TEXT_TOO_LARGE = "text_too_large"
    EVENT_TOO_LARGE = "event_too_large"
    MODEL_NAN = "model_nan"


class BadMessage(Exception):
    """A message that cannot become a labelled event: a reason code, and one sentence for a person."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
