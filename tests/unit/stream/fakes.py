"""A model that needs no torch, for tests of the stream.

A text with 좋 in it is positive, one with 별로 negative, any other neutral; one with NaN in it gets no label.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from nifos_stream.errors import Reason
from nifos_stream.model.reading import ModelInfo, Reading, Unread


@dataclass
class FakeStats:
    texts: int = 0
    tokens: int = 0
    chunks: int = 0
    padding_tokens: int = 0
    cache_lookups: int = 0
    cache_hits: int = 0


@dataclass
class FakeClassifier:
    """seconds_per_text: how long a forward pass takes."""

    seconds_per_text: float = 0.0
    device: str = "cpu"
    dtype: str = "fp32"
    info: ModelInfo = ModelInfo("fake", "0123456789ab", 60)
    stats: FakeStats = field(default_factory=FakeStats)
    seen: list[int] = field(default_factory=list)
    """Texts of each forward pass."""

    def prepare(self, texts: Sequence[str]) -> list[str]:
        return list(texts)

    def forward(self, prepared: Sequence[str]) -> list[Reading | Unread]:
        if self.seconds_per_text:
            time.sleep(self.seconds_per_text * len(prepared))
        self.seen.append(len(prepared))
        self.stats.texts += len(prepared)
        self.stats.tokens += sum(map(len, prepared))
        self.stats.chunks += 1
        return [read(text) for text in prepared]


def read(text: str) -> Reading | Unread:
    if "NaN" in text:
        return Unread(Reason.MODEL_NAN, "The model gave no number for this text.")
    if "좋" in text:
        return Reading((0.1, 0.2, 0.7), len(text))
    if "별로" in text:
        return Reading((0.7, 0.2, 0.1), len(text))
    return Reading((0.2, 0.6, 0.2), len(text))
