import os

from nifos_stream.bench.soak import around, resident_bytes


def test_memory_is_the_median_around_a_count():
    samples = [(1000, 10), (9500, 100), (10_000, 300), (10_900, 110), (20_000, 500)]
    assert around(samples, 10_000) == 110
    assert around(samples, 15_000) == 110, "with none near, the nearest"


def test_a_process_holds_memory():
    assert resident_bytes(os.getpid()) > 1_000_000
