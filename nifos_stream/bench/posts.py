"""Posts and labelled events for a topic, made of texts. Knows no client of Kafka."""

import datetime as dt
import json
import random
from collections.abc import Iterator, Sequence
from itertools import cycle

from nifos_stream.local.sample import sample_posts
from nifos_stream.messages import ModelRef
from nifos_stream.model.reading import Reading
from nifos_stream.stream.codec import Record, decode, encode

APART = dt.timedelta(milliseconds=1)
_MODEL = ModelRef(name="bench", revision="0" * 12)
_OWN = ("id", "text", "title", "created_at")


def posts(texts: Sequence[str], first: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of a post for each text, numbered from `first`: the key is the number, and the id.

    They were written one after another until now, a thousand a second, as a stream has them for which speed
    matters. What else a post has is taken from the bundled sample.
    """
    now = dt.datetime.now(dt.UTC)
    frames = [{k: v for k, v in post.items() if k not in _OWN} for post in sample_posts(now)]
    for place, (text, frame) in enumerate(zip(texts, cycle(frames), strict=False)):
        written = (now - APART * (len(texts) - place)).isoformat(timespec="milliseconds")
        post = {"id": str(first + place), "text": text, "created_at": written}
        yield str(first + place).encode(), json.dumps(post | frame, ensure_ascii=False).encode()


def events(texts: Sequence[str], topic: str) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of a labelled event for each text, with labels drawn at random."""
    chance = random.Random(0)
    labelled_at = dt.datetime.now(dt.UTC)
    readings = [Reading((0.7, 0.2, 0.1), 20), Reading((0.1, 0.7, 0.2), 20), Reading((0.1, 0.2, 0.7), 20)]
    for offset, (key, value) in enumerate(posts(texts)):
        record = Record(key, value, (), topic, 0, offset, int(labelled_at.timestamp() * 1000))
        received = decode(record, timezone=dt.UTC)
        yield key, encode(received, chance.choice(readings), model=_MODEL, labelled_at=labelled_at)
