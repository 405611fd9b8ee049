"""Bundled sample posts: real Korean reviews (CC0), as if collected in the last day. Knows no Kafka."""

import datetime as dt
import json
import lzma
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

SAMPLE = "sample.jsonl.xz"
SAMPLE_POSTS = 2400


def sample_posts(now: dt.datetime) -> Iterator[dict[str, Any]]:
    """The 2,400 sample posts as JSON objects, oldest first, written within the 24 hours before `now`.

    now: with a time zone, which `created_at` gets too. Texts are real, everything else about a post
    (source, channel, keywords, author, title, url, rating, time) is invented: see sample.LICENSE.md.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    packed = (files("nifos_stream.local") / SAMPLE).read_bytes()
    for line in lzma.decompress(packed).decode("utf-8").splitlines():
        post = json.loads(line)
        created_at = now - dt.timedelta(seconds=post.pop("seconds_ago"))
        yield post | {"created_at": created_at.isoformat(timespec="seconds")}
