"""Text to sentiment: one ELECTRA classifier, read from a directory, run without padding.

What a reading looks like is here at once; what needs torch is imported when it is used.
"""

from typing import TYPE_CHECKING, Any

from nifos_stream.model.reading import ModelInfo, Reading, SentenceReading, Unread

if TYPE_CHECKING:
    from nifos_stream.model.classifier import Classifier, Prepared
    from nifos_stream.model.loading import load_model

__all__ = ["Classifier", "ModelInfo", "Prepared", "Reading", "SentenceReading", "Unread", "load_model"]


def __getattr__(name: str) -> Any:
    """Import the classifier, and torch with it, only when it is used."""
    if name in ("Classifier", "Prepared"):
        from nifos_stream.model import classifier

        return getattr(classifier, name)
    if name == "load_model":
        from nifos_stream.model.loading import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
