"""Label a Kafka stream of Korean posts negative, neutral or positive, and keep live counts in Redis.

>>> from nifos_stream import load_model, Counts
>>> load_model("bundled").classify(["숲길이 정말 좋았어요"])[0].label
<Label.POSITIVE: 'positive'>
>>> Counts("redis://127.0.0.1:6379/0").window("1h", by="source").groups["twitter"].negative
17
"""

from typing import TYPE_CHECKING, Any

from nifos_stream.messages import Label, LabelledPost, Post

if TYPE_CHECKING:
    from nifos_stream.counters.reader import Counts
    from nifos_stream.model import load_model

__version__ = "0.1.0"
__all__ = ["Counts", "Label", "LabelledPost", "Post", "load_model"]


def __getattr__(name: str) -> Any:
    """Import what is heavy only when it is used: `load_model` brings torch along."""
    if name == "load_model":
        from nifos_stream.model import load_model

        return load_model
    if name == "Counts":
        from nifos_stream.counters.reader import Counts

        return Counts
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
