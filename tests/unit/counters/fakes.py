"""A topic, and the counts of it, for tests of what moves between them: one partition 0, no server."""

from types import SimpleNamespace

from nifos_stream.counters.feed import Slice
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.store import Opened
from nifos_stream.counters.topic import TopicNow
from nifos_stream.settings import Settings


class FakeAsker:
    def __init__(self, begin=0, end=0):
        self.begin, self.end = begin, end

    def now(self, _topic):
        return TopicNow("id", 1)

    def begins(self, _topic, partitions):
        return dict.fromkeys(partitions, self.begin)

    def ends(self, _topic, partitions):
        return dict.fromkeys(partitions, self.end)


class FakeFeed:
    """Reads nothing beyond `records`; before the topic's begin it stays where it is, as a client does."""

    def __init__(self, asker, records=()):
        self._asker = asker
        self._records = list(records)
        self._at = None
        self.owned = frozenset({0})
        self.committed = []

    @property
    def waiting(self):
        return self.owned if self._at is None else frozenset()

    def begin_at(self, _partition, offset):
        self._at = offset
        return True

    def halt(self, _partition):
        self._at = None

    def read(self, *_):
        if self._at is None or self._at < self._asker.begin:
            self._at = None
            return []
        if self._at >= self._asker.end:
            return []
        start, self._at = self._at, self._asker.end
        offsets = [offset for offset in self._records if offset >= start]
        return [Slice(0, self._at, [None] * len(offsets), offsets)]

    def commit(self, positions):
        self.committed.append(positions)


class FakeStore:
    """The calls of Store on a dict instead of Redis, for generations of one topic."""

    def __init__(self, begin=0, **positions):
        self.begin = begin
        self.rules = Rules.of(Settings())
        self.fingerprint = self.rules.fingerprint()
        self.redis_seconds = 0
        self.named = None
        self.positions = {}
        for name, position in positions.items():
            self.named = int(name.removeprefix("g"))
            self.positions[self.named] = position

    def note_topic(self, *_):
        pass

    def state(self, _partition):
        facts = {"named": str(self.named)} if self.named is not None else {}
        for number, position in self.positions.items():
            facts |= {f"{number}:offset": str(position), f"{number}:topic": "id"}
            facts[f"{number}:begin"] = str(self.begin)
            facts[f"{number}:fingerprint"] = self.fingerprint
        return facts

    def open(self, _partition, _topic_id, begin, _end, mode="view"):
        if mode == "view" and self.named is not None:
            return Opened(self.named, self.positions[self.named], begun=False)
        number = max(self.positions, default=0) + 1
        self.positions[number] = begin
        self.named = number if mode == "renew" else self.named or number
        return Opened(number, begin, begun=True)

    def apply(self, _partition, generation, _topic_id, batch, **_):
        assert self.positions[generation] == batch.start
        self.positions[generation] = batch.end

    def bars(self, *_):
        return {}

    def name(self, _partition, generation):
        if self.positions[self.named] > self.positions[generation]:
            return self.positions[self.named]
        self.named = generation
        return None


def settings():
    return SimpleNamespace(
        topics=SimpleNamespace(sentiment="labelled"),
        counters=SimpleNamespace(batch_events=100),
        kafka=SimpleNamespace(retry_timeout_seconds=60.0),
    )
