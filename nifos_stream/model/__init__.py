"""Text to sentiment: one ELECTRA classifier, read from a directory, run without padding.

What a reading looks like is here at once; what needs torch is imported when it is used.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nifos_stream.model import place
from nifos_stream.model.reading import ModelInfo, Reading, SentenceReading, Unread
from nifos_stream.settings import ModelSettings

if TYPE_CHECKING:
    from nifos_stream.model.classifier import Classifier, Prepared

__all__ = ["Classifier", "ModelInfo", "Prepared", "Reading", "SentenceReading", "Unread", "load_model"]


def load_model(path: str | Path = place.BUNDLED, *, settings: ModelSettings | None = None) -> "Classifier":
    """Load a model and make it ready to read.

    path: `bundled`, a model directory or a name on the hub; it wins over the settings' own path.
    UserError, in one sentence, when the model, the device or the dtype cannot be had.
    """
    place.local(str(path))  # A directory that is not there is said before torch takes its seconds.
    from nifos_stream.model.loading import load

    return load(path, settings or ModelSettings())


def __getattr__(name: str) -> Any:
    """Import the classifier, and torch with it, only when it is used."""
    if name in ("Classifier", "Prepared"):
        from nifos_stream.model import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
