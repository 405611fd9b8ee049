import pytest

from tests.unit.stream.fakes import FakeClock, FakeKafka


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()
