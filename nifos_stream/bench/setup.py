"""What every measurement is told: which model shape, which texts, where. Knows no measurement."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nifos_stream.bench.texts import different, read_texts
from nifos_stream.model import Classifier, load_model
from nifos_stream.model.cache import LabelCache, PiecesCache
from nifos_stream.model.classifier import Stats
from nifos_stream.model.made import write_random
from nifos_stream.model.place import BUNDLED
from nifos_stream.settings import ModelSettings, Settings

NULL_CHUNK_TOKENS = 8192
"""What a model of one unit costs is the start of each product; there shall be few of them."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The common options.

    shape: koelectra-base, bundled or null. vocabulary: WordPiece entries for a made model. texts: a file of
    texts. given: the settings name a broker and a Redis; else a local stack is started. say: told what is
    going on.
    """

    settings: Settings
    shape: str
    vocabulary: Path | None
    texts: Path | None
    given: bool
    say: Callable[[str], None]

    def model_path(self, folder: Path) -> str:
        """The directory of the model, made in `folder` unless it is the bundled one."""
        if self.shape == BUNDLED:
            return BUNDLED
        path = folder / self.shape
        if not path.exists():
            self.say(f"making a model of the shape {self.shape}")
            write_random(path, self.shape, self.vocabulary)
        return str(path)

    def classifier(self, path: str, dtype: str | None = None) -> Classifier:
        """The model in the dtype asked for, with what the worker would set for it."""
        settings: ModelSettings = self.settings.model
        if dtype is not None:
            settings = settings.model_copy(update={"dtype": dtype})
        if self.shape == "null" and not settings.chunk_tokens:
            settings = settings.model_copy(update={"chunk_tokens": NULL_CHUNK_TOKENS})
        self.say(f"loading the model in {settings.dtype}")
        return load_model(path, settings=settings)

    def different_texts(self, count: int) -> list[str]:
        """So many different texts."""
        return different(read_texts(self.texts), count)

    def for_worker(self, settings: Settings, path: str, classifier: Classifier) -> Settings:
        """`settings` for a worker process that runs this model just as `classifier` does here."""
        chosen = {"path": path, "dtype": classifier.dtype, "chunk_tokens": classifier.chunk_tokens}
        return settings.model_copy(update={"model": settings.model.model_copy(update=chosen)})

    def facts(self, name: str, classifier: Classifier | None = None) -> dict[str, Any]:
        """What the JSON line of any measurement begins with."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        facts: dict[str, Any] = {"bench": name, "machine": platform.machine(), "cores": cores}
        if classifier is not None:
            facts |= {"shape": self.shape, "device": classifier.device, "dtype": classifier.dtype}
            facts["chunk_tokens"] = classifier.chunk_tokens
        return facts


def forgetful(classifier: Classifier) -> Classifier:
    """The same classifier, which remembers no text that it has read before."""
    return replace(
        classifier, cache=LabelCache(100_000), pieces=PiecesCache(PiecesCache.ENTRIES), stats=Stats()
    )


def ids_of(classifier: Classifier, texts: Sequence[str]) -> list[bytes]:
    """Token ids of every text, or of its sentences where it is split."""
    return [piece.ids for text in classifier.prepare(texts).texts for piece in text.pieces]
