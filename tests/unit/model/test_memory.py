import ctypes

from nifos_stream.model.memory import keep_freed_memory


def test_a_c_library_that_does_not_understand_is_left_alone(monkeypatch):
    keep_freed_memory.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert keep_freed_memory() is False
    keep_freed_memory.cache_clear()


def test_glibc_understands():
    understood = hasattr(ctypes.CDLL(None), "mallopt")
    assert keep_freed_memory() is understood
