import threading

import pytest

from nifos_stream.stream.errands import Errands


def test_another_thread_does_what_is_asked_for():
    errands, done = Errands(), threading.Event()

    def serve():
        while not done.wait(0.001):
            errands.serve()

    server = threading.Thread(target=serve)
    server.start()
    assert errands.ask(threading.get_ident, 5) == server.ident
    with pytest.raises(ZeroDivisionError):
        errands.ask(lambda: 1 / 0, 5)
    done.set()
    server.join()


def test_what_nobody_did_in_time_is_not_done_later():
    errands, calls = Errands(), []
    with pytest.raises(TimeoutError):
        errands.ask(lambda: calls.append(1), 0.01)
    errands.serve()
    assert calls == []
