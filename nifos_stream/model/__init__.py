"""Text to sentiment: one ELECTRA classifier, read from a directory, run without padding."""

from nifos_stream.model.classifier import Classifier, Prepared
from nifos_stream.model.loading import load_model
from nifos_stream.model.reading import ModelInfo, Reading, SentenceReading, Unread

__all__ = ["Classifier", "ModelInfo", "Prepared", "Reading", "SentenceReading", "Unread", "load_model"]
