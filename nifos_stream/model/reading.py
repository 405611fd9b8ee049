"""What a model says of a text. Knows nothing of how it came to say so."""

from dataclasses import dataclass

from nifos_stream.errors import Reason
from nifos_stream.messages import LABELS, LABELS_KO, Label

Probabilities = tuple[float, float, float]
"""Of negative, neutral and positive, in the order of LABELS; rounded to DECIMALS, summing to 1."""

DECIMALS = 6


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model it is.

    revision: 12 hex digits over the weights and whatever else in the model directory decides a label.
    max_length: most tokens that it reads at once, [CLS] and [SEP] included.
    """

    name: str
    revision: str
    max_length: int


class _Labelled:
    __slots__ = ()
    probabilities: Probabilities

    @property
    def label(self) -> Label:
        """The most probable label."""
        return LABELS[self.probabilities.index(max(self.probabilities))]

    @property
    def label_ko(self) -> str:
        """The most probable label in Korean."""
        return LABELS_KO[self.label]

    @property
    def score(self) -> float:
        """The probability of that label."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class SentenceReading(_Labelled):
    """One sentence of a text that was split: [start, end) in code points of the text as given.

    tokens: as the model read them, [CLS] and [SEP] included.
    """

    start: int
    end: int
    tokens: int
    probabilities: Probabilities


@dataclass(frozen=True, slots=True)
class Reading(_Labelled):
    """One text.

    tokens: of all its sentences, [CLS] and [SEP] of each included.
    sentences: in order; () when the text was read whole. Their mean, weighted by tokens, is `probabilities`.
    truncated: something at the text's end was not read.
    """

    probabilities: Probabilities
    tokens: int
    sentences: tuple[SentenceReading, ...] = ()
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A text that got no label: EMPTY_TEXT, MODEL_NAN or TEXT_TOO_LARGE, and one sentence for a person."""

    reason: Reason
    detail: str
