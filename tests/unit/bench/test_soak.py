import itertools
import os

from nifos_stream.bench.soak import around, resident_bytes, shown


def test_memory_is_the_median_around_a_count():
    samples = [(1000, 10), (9500, 100), (10_000, 300), (10_900, 110), (20_000, 500)]
    assert around(samples, 10_000) == 110
    assert around(samples, 15_000) == 110, "with none near, the nearest"
    assert around([(0, 44), (2000, 600)], 1000) == 600, "not of a worker that starts"


def test_the_table_has_a_row_for_each_tenth_and_none_of_a_worker_that_starts():
    samples = [(0, 1), (0, 5), *((done, done + 5) for done in range(1, 1000, 7)), (1000, 1005), (1000, 1006)]
    rows = shown(samples)
    assert len(rows) == 11
    assert rows[0] == (1, 6)
    assert rows[-1] == (1000, 1006)
    assert all(before[0] < after[0] for before, after in itertools.pairwise(rows))
    assert shown([(0, 1), (300, 2)]) == [(300, 2)]


def test_a_process_holds_memory():
    assert resident_bytes(os.getpid()) > 1_000_000
