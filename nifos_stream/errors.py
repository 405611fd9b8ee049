"""The errors that reach a person, and the exit code of each. Knows nothing of where they arise."""

from enum import StrEnum


class NifosError(Exception):
    """Something a supervisor should see. Its message is one sentence; the program exits with `exit_code`."""

    exit_code = 1


class Stopped(NifosError):
    """The program was told to stop before it had begun what it was about to do: no failure."""

    exit_code = 0


class UserError(NifosError):
    """Wrong use, wrong settings, or something missing that a person has to mend."""

    exit_code = 2


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
