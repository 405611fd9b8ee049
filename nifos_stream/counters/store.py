"""The counts in Redis: their keys, and the calls that change them. Knows no Kafka and no event.

Keys, all with the hash tag of their partition, so that one call works in a Redis Cluster:
  {nifos:0}:state            hash: `named` generation, `last` begun, and of each `1:offset`, `1:topic`, …
  {nifos:0}:ends             sorted set: where the topic's partition ended (member), when (score, ms)
  {nifos:0}:1:keys           sorted set: the buckets of generation 1, by their expiry
  {nifos:0}:1:total          hash: counts of all time;  {nifos:0}:1:1h:1700000000  hash: of one hour
  {nifos:0}:1:latest         list: the latest posts, newest first
  {nifos:0}:1:sample:1h:1700000000  sorted set: a sample of the posts of one hour, by chance
and without a tag: nifos:topic (hash: topic id and number of partitions), nifos:backlog (posts, and when: ms).
"""

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any, Literal

from redis.exceptions import NoScriptError

from nifos_stream.counters.connect import RedisClient
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.samples import LATEST, MOST_SAMPLES, NOTHING, Kept
from nifos_stream.counters.tally import Bucket, Spelling

MOST_ENDS = 512
_MOST_BARS = 2 * MOST_SAMPLES
_BURY_KEYS = 500


class Why(StrEnum):
    """Why a call was refused."""

    POSITION = "position"
    BACKWARDS = "backwards"
    OLDER = "older"
    GONE = "gone"
    TOPIC = "topic"
    FINGERPRINT = "fingerprint"


@dataclass(frozen=True, slots=True)
class Opened:
    """A generation of one partition to count in. position: the offset to go on from."""

    generation: int
    position: int
    begun: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What lies between two offsets of one partition. since: when its first event was labelled, seconds."""

    start: int
    end: int
    since: float | None
    buckets: Mapping[str, Bucket]
    kept: Kept = NOTHING


@dataclass(frozen=True, slots=True)
class Level:
    """A partition's position, and when it was last known level. Redis's clock, seconds."""

    position: int
    level_at: float | None
    now: float


class Keys:
    """Names of the keys of one prefix."""

    def __init__(self, prefix: str) -> None:
        self.topic = f"{prefix}:topic"
        self.backlog = f"{prefix}:backlog"
        self._prefix = prefix

    def state(self, partition: int) -> str:
        """The partition's generations and positions."""
        return f"{{{self._prefix}:{partition}}}:state"

    def ends(self, partition: int) -> str:
        """The partition's ends."""
        return f"{{{self._prefix}:{partition}}}:ends"

    def bucket(self, partition: int, generation: int, name: str) -> str:
        """One bucket, or `keys`, of a generation."""
        return f"{{{self._prefix}:{partition}}}:{generation}:{name}"


class Script:
    """A Lua script next to this module."""

    def __init__(self, name: str) -> None:
        self.text: str = (resources.files(__package__) / f"{name}.lua").read_text(encoding="utf-8")
        self._sha = _sha1(self.text)

    def __call__(self, client: RedisClient, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run it, sending its text only where Redis does not know it yet."""
        try:
            return client.evalsha(self._sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return client.eval(self.text, len(keys), *keys, *arguments)

    def each(self, client: RedisClient, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        """Run it for each (keys, arguments), all in one round trip where Redis knows it."""
        try:
            return self._pipelined(client, calls, known=True)
        except NoScriptError:
            return self._pipelined(client, calls, known=False)

    def queue(self, pipeline: Any, keys: Sequence[str], arguments: Sequence[Any], *, known: bool) -> None:
        """Add a call to a pipeline of redis-py. known: send the script's digest, not its text."""
        command, what = ("EVALSHA", self._sha) if known else ("EVAL", self.text)
        pipeline.execute_command(command, what, len(keys), *keys, *arguments)

    def _pipelined(
        self, client: RedisClient, calls: Sequence[tuple[Sequence[str], Sequence[Any]]], *, known: bool
    ) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for keys, arguments in calls:
            self.queue(pipeline, keys, arguments, known=known)
        answers: list[Any] = pipeline.execute()
        return answers


@functools.cache
def script(name: str) -> Script:
    """The script of this name."""
    return Script(name)


@dataclass(frozen=True, slots=True)
class _Bars:
    """The bars of a partition's samples, true of the posts up to that position and of no other."""

    generation: int
    topic_id: str
    position: int
    by_name: Mapping[str, float]


class Store:
    """The counts of one topic, as those who fill them see them. Its calls raise redis's own errors."""

    def __init__(self, client: RedisClient, keys: Keys, rules: Rules) -> None:
        self.client = client
        self.keys = keys
        self.rules = rules
        self._spelling = Spelling(rules)
        self.fingerprint = rules.fingerprint()
        self.redis_seconds = 0
        """A time that Redis's clock has passed."""
        self._bars: dict[int, _Bars] = {}

    def open(
        self,
        partition: int,
        topic_id: str,
        begin: int,
        end: int,
        mode: Literal["view", "renew", "rebuild"] = "view",
    ) -> Opened | Why:
        """Where to go on, or begin, see open.lua. begin, end: of the topic's partition now.

        Why.FINGERPRINT when the counts were made by other rules.
        """
        # An emptied Redis may begin the same generation again, at the very position that bars are known of.
        self._bars.pop(partition, None)
        what, generation, position, now = script("open")(
            self.client,
            [self.keys.state(partition), self.keys.ends(partition)],
            [topic_id, self.fingerprint, self.rules.to_json(), begin, end, mode],
        )
        self._tick(now)
        if what == Why.FINGERPRINT:
            return Why.FINGERPRINT
        return Opened(int(generation), int(position), what == "begun")

    def apply(
        self, partition: int, generation: int, topic_id: str, batch: Batch, *, rebuilding: bool = False
    ) -> Why | None:
        """Count a batch and move the position from its start to its end, or say why not; see apply.lua."""
        kept = batch.kept
        known = self.bars(partition, generation, topic_id, batch.start)
        self._bars.pop(partition, None)
        what, _, now, _, *bars = script("apply")(
            self.client,
            [
                self.keys.state(partition),
                *(
                    self.keys.bucket(partition, generation, name)
                    for name in ("keys", *batch.buckets, LATEST, *kept.samples)
                ),
            ],
            [
                generation,
                topic_id,
                self.fingerprint,
                batch.start,
                batch.end,
                "" if batch.since is None else repr(batch.since),
                int(rebuilding),
                self.rules.max_values,
                self._spelling.to_json(dict(batch.buckets)),
                json.dumps(kept.to_plain(self.rules), separators=(",", ":")),
                kept.latest,
                *kept.posts,
            ],
        )
        self._tick(now)
        if what != "applied":
            return Why(what)
        told = zip(kept.samples, bars[0], strict=True)
        by_name = {**known, **{name: float(bar) for name, bar in told if bar}}
        newest = dict(list(by_name.items())[-_MOST_BARS:])
        self._bars[partition] = _Bars(generation, topic_id, batch.end, newest)
        return None

    def bars(self, partition: int, generation: int, topic_id: str, position: int) -> Mapping[str, float]:
        """By name of a sample that is full: the chance from which on no post can enter it any more.

        Only those that are known for sure, of what is counted up to `position`.
        """
        known = self._bars.get(partition)
        if known is None or (known.generation, known.topic_id, known.position) != (
            generation,
            topic_id,
            position,
        ):
            return {}
        return known.by_name

    def name(self, partition: int, generation: int) -> int | Why | None:
        """Let this generation be read: None when it is, else the position to reach first, or why never."""
        what, position = script("name")(self.client, [self.keys.state(partition)], [generation])
        if what == "named":
            return None
        return int(position) if what == "behind" else Why(what)

    def sample(self, partition: int, topic_id: str, end: int, asked_ago_ms: int) -> Level | None:
        """Store where the partition ended; None when its counts are not of this topic."""
        keys = [self.keys.state(partition), self.keys.ends(partition)]
        arguments = [topic_id, end, asked_ago_ms, MOST_ENDS]
        position, level, now = script("sample")(self.client, keys, arguments)
        self._tick(now)
        if position == "":
            return None
        return Level(int(position), float(level) / 1000 if level else None, int(now) / 1000)

    def state(self, partition: int) -> dict[str, str]:
        """The partition's state as it stands."""
        found: dict[str, str] = self.client.hgetall(self.keys.state(partition))
        return found

    def bury(self, partition: int, generation: int, silence_seconds: float) -> bool:
        """Delete a generation below the named one, or above it and silent for so long. True when it is gone.

        1. A tombstone: from now on apply.lua refuses it.  2. Its keys.  3. What the state says of it.
        """
        state, listed = self.keys.state(partition), self.keys.bucket(partition, generation, "keys")
        arguments = [generation, int(silence_seconds * 1000), _BURY_KEYS]
        keys: list[str] = []
        while True:
            what, *keys = script("bury")(self.client, [state, listed, *keys], arguments)
            if what != "buried":
                return bool(what == "forgotten")

    def note_topic(self, topic_id: str, partitions: int) -> None:
        """Tell readers how many partitions to add up."""
        self.client.hset(self.keys.topic, mapping={"id": topic_id, "partitions": partitions})

    def note_backlog(self, posts: int) -> None:
        """Tell readers how many posts are not labelled yet."""
        script("backlog")(self.client, [self.keys.backlog], [posts])

    def _tick(self, now_ms: int) -> None:
        self.redis_seconds = max(self.redis_seconds, int(now_ms) // 1000 - 1)


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
