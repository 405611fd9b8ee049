"""Where a measurement runs: a Kafka and a Redis that were named, or a local stack for as long as it takes."""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nifos_stream import kafka
from nifos_stream.counters import connect
from nifos_stream.local.stack import LocalStack
from nifos_stream.local.up import create_ready_topics, settings_for
from nifos_stream.settings import Settings

PREFIX = "nifos-bench"
_PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Place:
    """A broker and a Redis. settings: with their addresses. folder: for files, gone afterwards."""

    settings: Settings
    folder: Path
    _made: list[Settings] = field(default_factory=list)

    def fresh(self, posts: str | None = None, sentiment: str | None = None) -> Settings:
        """Settings with groups, a Redis prefix and topics of their own, which are there.

        posts, sentiment: topics that were filled before, in place of empty ones.
        """
        tag = f"{PREFIX}-{uuid.uuid4().hex[:8]}"
        base = self.settings
        names = {name: f"{tag}-{name}" for name in ("dead_letters", "alerts", "keywords")}
        names |= {"posts": posts or f"{tag}-posts", "sentiment": sentiment or f"{tag}-sentiment"}
        made = base.model_copy(
            update={
                "topics": base.topics.model_copy(update=names),
                "stream": base.stream.model_copy(update={"group_id": f"{tag}-classify"}),
                "counters": base.counters.model_copy(update={"group_id": f"{tag}-counters", "prefix": tag}),
            }
        )
        create_ready_topics(made)
        self._made.append(made)
        return made

    def clear(self) -> None:
        """Delete the topics and the Redis keys that were made."""
        if not self._made:
            return
        topics = {
            name
            for made in self._made
            for field_name, name in made.topics
            if field_name in ("posts", "sentiment", "dead_letters", "alerts", "keywords")
        }
        # In a variable, since its answers never come once it is collected.
        admin = kafka.connect(self.settings.kafka)
        for done in admin.delete_topics(sorted(topics), request_timeout=_PATIENCE_SECONDS).values():
            done.result(_PATIENCE_SECONDS)
        redis = self.settings.redis
        client = connect.client(redis.url.get_secret_value(), redis.timeout_seconds)
        for made in self._made:
            for key in client.scan_iter(match=f"*{made.counters.prefix}:*", count=1000):
                client.unlink(key)
        client.close()


@contextmanager
def open_place(settings: Settings, *, given: bool, say: Callable[[str], None]) -> Iterator[Place]:
    """A place for one measurement.

    given: the settings name a Kafka and a Redis to use, and what was made there is deleted afterwards; else a
    local stack is started, and stopped with all that it holds.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{PREFIX}-")))
        if not given:
            say("starting Kafka and Redis")
            servers = stack.enter_context(LocalStack(folder / "stack", report=say))
            yield Place(settings_for(servers, settings), folder)
            return
        place = Place(settings, folder)
        stack.callback(place.clear)
        yield place
