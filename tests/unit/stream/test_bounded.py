import threading

import pytest

from nifos_stream.stream.bounded import Bounded


def test_a_call_comes_back_with_its_answer():
    bounded = Bounded()
    assert bounded.call(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        bounded.call(lambda: 1 / 0, 5)
    assert bounded.call(threading.get_ident, 5) == bounded.call(threading.get_ident, 5)


def test_a_call_that_hangs_is_left_behind():
    bounded, never = Bounded(), threading.Event()
    with pytest.raises(TimeoutError):
        bounded.call(never.wait, 0.01)
    assert bounded.call(lambda: 7, 5) == 7
    never.set()


def test_a_call_may_raise_a_timeout_of_its_own():
    bounded = Bounded()

    def late():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        bounded.call(late, 5)
    assert bounded.call(lambda: 7, 5) == 7
