import itertools
from collections import Counter

from nifos_stream.training.batches import Mix, batches

LENGTHS = [5, 6, 5, 6] * 25
SOURCES = ["human", "rating", "rating", "weak"] * 25


def taken(passes: dict[str, float], count: int, seed: int = 1) -> list[list[int]]:
    mix = Mix(passes, tokens_per_batch=20, seed=seed)
    return list(itertools.islice(batches(LENGTHS, SOURCES, mix), count))


def test_a_batch_holds_one_length_and_about_the_wanted_tokens() -> None:
    for rows in taken({}, 50):
        lengths = {LENGTHS[row] for row in rows}
        assert len(lengths) == 1
        assert 20 <= len(rows) * lengths.pop() < 26


def test_each_source_is_read_as_often_as_asked() -> None:
    read = Counter(
        SOURCES[row] for rows in taken({"human": 4, "rating": 1, "weak": 0.2}, 400) for row in rows
    )
    assert 1.6 < read["human"] / read["rating"] < 2.4
    assert 15 < read["human"] / read["weak"] < 25


def test_a_fraction_goes_through_all_rows_before_it_repeats_one() -> None:
    read = Counter(row for rows in taken({"human": 0, "rating": 0.5, "weak": 0}, 80) for row in rows)
    assert (
        max(read.values()) - min(read[row] for row, source in enumerate(SOURCES) if source == "rating") <= 2
    )
    assert not [row for row in read if SOURCES[row] != "rating"]


def test_the_same_seed_gives_the_same_batches_and_another_seed_others() -> None:
    assert taken({"human": 2}, 30) == taken({"human": 2}, 30)
    assert taken({"human": 2}, 30) != taken({"human": 2}, 30, seed=2)
