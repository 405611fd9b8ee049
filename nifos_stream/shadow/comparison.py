"""How two models compare on the texts that both have read, as numbers that add up. Knows no model.

The numbers have names, so that those of several workers can be added in Redis one by one:
  said:negative:positive   texts of which the first model said negative and the shadow positive
  difference               sum over texts of the mean of |shadow - first| over the three probabilities
  change:negative          sum over texts of shadow - first of that probability
  dropped, unread          sampled texts that there was no time for, or no shadow any more as it failed; texts
                           to which the shadow gave no label
  first:texts, first:seconds, shadow:texts, shadow:seconds    forward passes, of each model
"""

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nifos_stream.messages import LABELS, Label
from nifos_stream.model.reading import Reading

DROPPED, UNREAD, DIFFERENCE = "dropped", "unread", "difference"


class Tally:
    """Numbers that have not been written yet. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, float] = defaultdict(float)

    def add(self, numbers: Mapping[str, float]) -> None:
        """Add to the numbers of these names."""
        with self._lock:
            for name, number in numbers.items():
                self._numbers[name] += number

    def compare(self, first: Reading, shadow: Reading) -> float:
        """Add a text that both have read; returns the mean difference of its probabilities."""
        changes = [new - old for old, new in zip(first.probabilities, shadow.probabilities, strict=True)]
        difference = sum(map(abs, changes)) / len(changes)
        self.add(
            {
                f"said:{first.label}:{shadow.label}": 1,
                DIFFERENCE: difference,
                **{f"change:{label}": change for label, change in zip(LABELS, changes, strict=True)},
            }
        )
        return difference

    def took(self, which: str, texts: int, seconds: float) -> None:
        """Add a forward pass of the `first` or the `shadow` model."""
        self.add({f"{which}:texts": texts, f"{which}:seconds": seconds})

    def take(self) -> dict[str, float]:
        """Return all numbers and begin again at nothing."""
        with self._lock:
            taken, self._numbers = self._numbers, defaultdict(float)
            return dict(taken)


@dataclass(frozen=True, slots=True)
class Compared:
    """A model of a comparison."""

    name: str
    revision: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same texts. numbers: as above. since, until: its first and its latest writing."""

    first: Compared
    shadow: Compared
    since: dt.datetime
    until: dt.datetime
    numbers: Mapping[str, float]

    def said(self, first: Label, shadow: Label) -> int:
        """Texts of which the models said these labels."""
        return int(self.numbers.get(f"said:{first}:{shadow}", 0))

    @property
    def texts(self) -> int:
        """Texts that both models have labelled."""
        return sum(self.said(first, shadow) for first in LABELS for shadow in LABELS)

    @property
    def dropped(self) -> int:
        """Sampled texts that there was no time for, or no shadow any more."""
        return int(self.numbers.get(DROPPED, 0))

    @property
    def unread(self) -> int:
        """Sampled texts to which the shadow gave no label."""
        return int(self.numbers.get(UNREAD, 0))

    @property
    def agreement(self) -> float | None:
        """Share of those texts with the same label; None when there are none."""
        return self._of_each(sum(self.said(label, label) for label in LABELS))

    @property
    def mean_difference(self) -> float | None:
        """Mean of |shadow - first| over texts and labels."""
        return self._of_each(self.numbers.get(DIFFERENCE, 0.0))

    def mean_change(self, label: Label) -> float | None:
        """Mean of shadow - first of the probability of a label."""
        return self._of_each(self.numbers.get(f"change:{label}", 0.0))

    def seconds_per_text(self, which: str) -> float | None:
        """Forward pass of one text by the `first` or the `shadow` model; None when it read none."""
        texts = self.numbers.get(f"{which}:texts", 0)
        return self.numbers.get(f"{which}:seconds", 0.0) / texts if texts else None

    @property
    def cost(self) -> float | None:
        """How many times as long the shadow takes for a text."""
        first, shadow = self.seconds_per_text("first"), self.seconds_per_text("shadow")
        return shadow / first if first and shadow is not None else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what cannot be said is None."""
        return {
            "first": {"name": self.first.name, "revision": self.first.revision},
            "shadow": {"name": self.shadow.name, "revision": self.shadow.revision},
            "since": self.since.isoformat(timespec="seconds"),
            "until": self.until.isoformat(timespec="seconds"),
            "texts": self.texts,
            "agreement": self.agreement,
            "shift": {old: {new: self.said(old, new) for new in LABELS} for old in LABELS},
            "mean_difference": self.mean_difference,
            "mean_change": {label: self.mean_change(label) for label in LABELS},
            "seconds_per_text": {
                "first": self.seconds_per_text("first"),
                "shadow": self.seconds_per_text("shadow"),
            },
            "cost": self.cost,
            "dropped": self.dropped,
            "unread": self.unread,
        }

    def _of_each(self, total: float) -> float | None:
        return total / self.texts if self.texts else None
