import numpy as np
import pytest

from nifos_stream.model.cleaning import Cleaning
from nifos_stream.training import grouping
from tests.models import make_tokenizer

CLEANING = Cleaning(("nfc", "line_breaks", "repeats", "spaces"))
PAD, CLS, SEP = 0, 2, 3


def ids(texts: list[str], max_length: int | None = None) -> list[list[int]]:
    found = grouping.encode(make_tokenizer(), CLEANING, texts, max_length=max_length)
    return [np.frombuffer(one, dtype=np.int32).tolist() for one in found]


def test_a_text_goes_through_the_tokenizer_once():
    tokenizer = make_tokenizer()
    for text, found in zip(
        ("숲이 좋아요!", "별로 ㅋㅋㅋㅋ"), ids(["숲이 좋아요!", "별로 ㅋㅋㅋㅋ"]), strict=True
    ):
        assert found == tokenizer.encode(CLEANING(text)).ids
        assert (found.count(CLS), found.count(SEP)) == (1, 1)
        assert (found[0], found[-1]) == (CLS, SEP)


def test_a_cut_text_still_ends_in_sep_once():
    (found,) = ids(["숲 길 산 " * 40], max_length=20)
    assert len(found) == 20
    assert (found[0], found[-1]) == (CLS, SEP)
    assert (found.count(CLS), found.count(SEP)) == (1, 1)


def examples(texts: list[str]) -> grouping.Examples:
    found = grouping.encode(make_tokenizer(), CLEANING, texts)
    return grouping.Examples(found, list(range(len(texts))), [1.0] * len(texts))


def test_a_batch_is_padded_to_its_longest_and_padding_is_masked():
    rows = examples(["숲", "숲 길 산 좋아요", ""])
    batch = grouping.Collator(PAD)([rows[place] for place in range(3)])
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (3, 6)
    assert batch["attention_mask"].sum(1).tolist() == [3, 6, 2]
    assert (batch["input_ids"][batch["attention_mask"] == 0] == PAD).all()
    assert (batch["input_ids"][batch["attention_mask"] == 1] != PAD).all()
    assert batch["labels"].tolist() == [0, 1, 2]


def test_rows_by_length_keep_ids_labels_and_weights_together():
    rows = examples(["숲", "숲 길 산 좋아요", "숲 길"])
    sorted_rows = rows.by_length()
    assert sorted_rows.lengths == [6, 4, 3]
    assert sorted_rows.labels == [1, 2, 0]
    assert sorted_rows[2] == rows[0]


def batches(sampler: grouping.LengthGroups, size: int) -> list[list[int]]:
    order = list(sampler)
    return [order[start : start + size] for start in range(0, len(order), size)]


def test_an_epoch_reads_every_row_once_in_batches_of_like_lengths():
    lengths = np.random.default_rng(0).integers(3, 60, 1003).tolist()
    sampler = grouping.LengthGroups(lengths, 16, seed=1)
    found = batches(sampler, 16)
    assert sorted(row for batch in found for row in batch) == list(range(1003))
    padded = sum(max(lengths[row] for row in batch) * len(batch) for batch in found)
    assert padded < 1.1 * sum(lengths)
    # Long batches do not all come first.
    means = [np.mean([lengths[row] for row in batch]) for batch in found]
    assert means != sorted(means)
    assert means != sorted(means, reverse=True)


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_the_order_depends_on_seed_and_epoch_alone(epoch: int):
    lengths = list(range(3, 60)) * 10
    orders = []
    for seed in (1, 1, 2):
        sampler = grouping.LengthGroups(lengths, 8, seed)
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert orders[0] == orders[1] != orders[2]
    sampler = grouping.LengthGroups(lengths, 8, 1)
    sampler.set_epoch(epoch + 1)
    assert list(sampler) != orders[0]
