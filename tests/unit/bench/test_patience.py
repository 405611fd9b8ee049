import pytest

from nifos_stream.bench.patience import Patience
from nifos_stream.errors import NifosError
from tests.unit.stream.fakes import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


def test_slow_work_is_waited_for(clock):
    patience = Patience("labelled", now=clock)
    for done in range(1, 20):
        clock.seconds += 100
        patience.look(done)


@pytest.mark.parametrize("done", [0, 5])
def test_work_that_stands_still_is_not(clock, done):
    patience = Patience("labelled", now=clock)
    patience.look(done)
    clock.seconds += 120
    patience.look(done)
    clock.seconds += 1
    with pytest.raises(NifosError, match=r"Nothing was labelled for 120 s\."):
        patience.look(done)
