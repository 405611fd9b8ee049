import pytest

from nifos_stream.messages import SEOUL
from nifos_stream.stream.ownership import Ownership
from nifos_stream.stream.source import Source
from nifos_stream.stream.trimming import Trimming
from tests.unit.stream.fakes import FakeClock, FakeConsumer, FakeKafka


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def consumer() -> FakeConsumer:
    return FakeConsumer()


@pytest.fixture
def ownership(clock: FakeClock) -> Ownership:
    return Ownership(handover_seconds=0.05, now=clock)


@pytest.fixture
def trimming() -> Trimming:
    return Trimming()


@pytest.fixture
def gone() -> list[set[int]]:
    """Partitions that a source said are gone, call by call."""
    return []


@pytest.fixture
def source(
    consumer: FakeConsumer, ownership: Ownership, trimming: Trimming, gone: list[set[int]], clock: FakeClock
) -> Source:
    return Source(
        consumer,
        "posts",
        ownership,
        group_id="group",
        timezone=SEOUL,
        trimming=trimming,
        on_gone=gone.append,
        now=clock,
    )
