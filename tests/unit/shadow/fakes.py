"""A ledger that needs no Redis, and one that is away."""

from collections import Counter

from redis.exceptions import ConnectionError as RedisConnectionError

from nifos_stream.shadow.ledger import Ledger


class FakeLedger(Ledger):
    """numbers: what was written, added up. away: whether Redis does not answer."""

    def __init__(self) -> None:
        super().__init__(connect=lambda: None, prefix="nifos")
        self.numbers: Counter[str] = Counter()
        self.pairs = set()
        self.away = False
        self.attempts = 0

    def add(self, first, shadow, numbers, now) -> None:
        assert now.tzinfo is not None
        self.attempts += 1
        if self.away:
            raise RedisConnectionError("Redis is away")
        self.pairs.add((first.revision, shadow.revision))
        self.numbers.update(numbers)
