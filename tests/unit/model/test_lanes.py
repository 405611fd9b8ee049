import threading

import pytest
import torch

from nifos_stream.model.lanes import Lanes


def test_results_come_in_order():
    assert Lanes(3).map(lambda i: i * i, range(20)) == [i * i for i in range(20)]


def test_each_lane_has_one_core_and_the_caller_keeps_its_own():
    before = torch.get_num_threads()
    together = threading.Barrier(2, timeout=10)

    def cores(_):
        together.wait()
        return torch.get_num_threads()

    assert Lanes(2).map(cores, range(2)) == [1, 1]
    assert torch.get_num_threads() == before


def test_an_exception_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        Lanes(1).map(lambda i: 1 // i, [1, 0])


def test_denormal_numbers_cost_a_lane_nothing():
    tiny = torch.full((4,), 1e-39)
    assert Lanes(1).map(lambda numbers: float((numbers * 1.0).sum()), [tiny]) == [0.0]
