import itertools
import queue
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nifos_stream.errors import Reason
from nifos_stream.model import Reading, Unread, directory, load_model
from nifos_stream.model.classifier import rounded_to_one
from nifos_stream.model.cleaning import Cleaning
from nifos_stream.model.pieces import Splitter
from nifos_stream.model.sample import SAMPLE
from nifos_stream.settings import ModelSettings
from tests.models import make_model_dir
from tests.unit.model.texts import texts

LONG = "정말 좋아요! 숲길이 예뻐요ㅋㅋㅋ 그런데 별로예요ㅠㅠ " * 6


@pytest.fixture(scope="session")
def shared(model_dir):
    return load_model(model_dir, settings=ModelSettings(dtype="fp32", cache_entries=0))


def test_a_text_gets_what_transformers_gives_it(load, model_dir):
    loaded = directory.load(model_dir)
    ids = torch.tensor([loaded.tokenizer.encode("정말 좋아요!").ids])
    with torch.inference_mode():
        expected = torch.softmax(loaded.module(input_ids=ids).logits[0].double(), -1)
    reading = load().classify(["정말   좋아요!!!!\n"])[0]
    assert reading.probabilities == pytest.approx(expected.tolist(), abs=1e-5)
    assert (reading.tokens, reading.sentences, reading.truncated) == (ids.shape[1], (), False)


def test_readings_come_in_order_whatever_their_lengths(load):
    several = ["숲 " * n for n in (9, 1, 30, 2, 30, 17, 5)]
    classifier = load(chunk_tokens=40)
    alone = [classifier.classify([text])[0] for text in several]
    together = load(chunk_tokens=40).classify(several)
    for one, other in zip(alone, together, strict=True):
        assert one.tokens == other.tokens
        assert one.probabilities == pytest.approx(other.probabilities, abs=2e-6)


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b"])
def test_an_empty_text_is_unread(load, text):
    unread, read = load().classify([text, "숲"])
    assert isinstance(unread, Unread)
    assert unread.reason == Reason.EMPTY_TEXT == "empty_text"
    assert isinstance(read, Reading)


def test_no_texts_are_no_readings(load):
    assert load().classify([]) == []


def test_a_long_text_is_the_mean_of_its_sentences(load):
    reading = load().classify([LONG])[0]
    assert len(reading.sentences) > 6
    assert reading.tokens == sum(sentence.tokens for sentence in reading.sentences)
    for place in range(3):
        mean = sum(s.probabilities[place] * s.tokens for s in reading.sentences) / reading.tokens
        assert reading.probabilities[place] == pytest.approx(mean, abs=1e-6)


@given(text=st.lists(texts, min_size=1, max_size=6).map(" ".join))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_sentence_reads_as_it_would_alone(shared, text):
    reading = shared.classify([text])[0]
    if isinstance(reading, Unread):
        assert reading.reason == Reason.EMPTY_TEXT
        return
    for sentence in reading.sentences:
        alone = shared.classify([text[sentence.start : sentence.end]])[0]
        assert alone.tokens == sentence.tokens
        assert alone.probabilities == pytest.approx(sentence.probabilities, abs=3e-6)
    assert sum(reading.probabilities) == pytest.approx(1, abs=1e-9)


def test_more_sentences_than_allowed_leave_the_text_truncated(load):
    reading = load(max_sentences=3).classify([LONG])[0]
    assert (len(reading.sentences), reading.truncated) == (3, True)


def test_a_text_that_is_never_split_is_truncated(load):
    reading = load(sentences="never").classify([LONG])[0]
    assert (reading.sentences, reading.truncated, reading.tokens) == ((), True, 60)


def test_always_splits_a_text_that_fits(load):
    reading = load(sentences="always").classify(["좋아요. 별로!"])[0]
    assert [(s.start, s.end) for s in reading.sentences] == [(0, 4), (5, 8)]


def test_equal_texts_run_once_and_are_remembered(load):
    classifier = load()
    ran = spy(classifier)
    first = classifier.classify(["숲길", "숲길", "숲길!!!!", "숲길!"])
    assert sorted(itertools.chain(*ran)) == [4, 5]
    assert first[0] == first[1]
    ran.clear()
    assert classifier.classify(["숲길", "숲길!"]) == [first[0], first[2]]
    assert ran == []
    stats = classifier.stats
    assert (stats.texts, stats.cache_lookups, stats.cache_hits, stats.padding_tokens) == (6, 6, 4, 0)


def test_a_text_seen_lately_is_not_split_again(load):
    classifier = load(cache_entries=10)
    split = classifier.splitter.split
    asked = []
    classifier.splitter.split = lambda texts: asked.append(list(texts)) or split(texts)
    parted = LONG.replace("!", "").replace("ㅠㅠ", "")  # In few pieces: many are not remembered.
    first = classifier.classify(["숲길", parted, "숲길", "좋아요"])
    again = classifier.classify(["좋아요", "숲길", "산", parted])
    assert len(first[1].sentences) > 1
    assert [again[0], again[1], again[3]] == [first[3], first[0], first[1]]
    assert asked == [["숲길", parted, "좋아요"], ["산"]]


def test_totals_count_what_was_read(load):
    ticks = itertools.count()
    classifier = load(cache_entries=0)
    classifier.now = lambda: next(ticks)
    readings = classifier.classify(["숲길", "정말 좋아요", LONG])
    assert classifier.stats.tokens == sum(reading.tokens for reading in readings)
    assert (classifier.stats.texts, classifier.stats.forward_seconds) == (3, 1)
    assert classifier.stats.sentences == 2 + len(readings[2].sentences)
    assert classifier.stats.chunks >= 1


def test_prepared_texts_know_their_number_and_tokens(load):
    prepared = load().prepare(["숲길", "", "좋아요"])
    assert (len(prepared), prepared.tokens) == (3, 4 + 3)


def test_a_text_that_gives_no_number_is_unread_and_its_neighbours_are_not(load):
    classifier = load()
    run = classifier.run

    def poisoned(ids, lengths):
        logits = run(ids, lengths).clone()
        logits[[i for i, length in enumerate(lengths) if length == 4]] = torch.nan
        return logits

    classifier.run = poisoned
    readings = classifier.classify(["숲길", "정말 좋은 숲", "숲산"])
    assert [getattr(reading, "reason", None) for reading in readings] == ["model_nan", None, "model_nan"]
    classifier.run = run
    assert isinstance(classifier.classify(["숲길"])[0], Reading), "no failure is remembered"


def spy(classifier, most_tokens=None):
    """Note the lengths of each chunk that runs; run out of memory above `most_tokens`."""
    run, ran = classifier.run, []

    def noted(ids, lengths):
        if most_tokens and len(ids) > most_tokens:
            raise torch.OutOfMemoryError
        ran.append(list(lengths))
        return run(ids, lengths)

    classifier.run = noted
    return ran


def test_a_chunk_too_large_for_the_memory_is_halved(load):
    several = ["숲 " * n for n in range(1, 30)]
    expected = load().classify(several)
    classifier = load(chunk_tokens=2000)
    spy(classifier, most_tokens=100)
    for one, other in zip(classifier.classify(several), expected, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=2e-6)
    assert 60 <= classifier.chunk_tokens <= 200, "later chunks are smaller from the start"


def test_a_text_too_large_alone_is_unread(load):
    classifier = load()
    spy(classifier, most_tokens=10)
    small, large = classifier.classify(["숲길", "숲 " * 20])
    assert isinstance(small, Reading)
    assert large.reason == Reason.TEXT_TOO_LARGE


def test_temperature_and_order_of_labels_are_applied(tmp_path):
    plain = load_model(make_model_dir(tmp_path / "a"), settings=ModelSettings(dtype="fp32"))
    turned = load_model(
        make_model_dir(tmp_path / "b", labels=["positive", "neutral", "negative"], temperature=2.0),
        settings=ModelSettings(dtype="fp32"),
    )
    before = np.log(plain.classify(["정말 좋은 숲"])[0].probabilities)
    after = np.log(turned.classify(["정말 좋은 숲"])[0].probabilities)
    assert before - before[1] == pytest.approx((2 * (after - after[1]))[::-1], abs=1e-3)


def test_preparing_and_running_go_on_at_the_same_time(load):
    classifier = load(cache_entries=10)
    batches = [[f"숲 {i} {j}" for j in range(20)] for i in range(30)]
    expected = [classifier.classify(batch) for batch in batches]
    prepared: queue.SimpleQueue = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: [prepared.put(classifier.prepare(batch)) for batch in batches])
    thread.start()
    got = [classifier.forward(prepared.get(timeout=30)) for _ in batches]
    thread.join()
    for batch, other in zip(got, expected, strict=True):
        assert [r.tokens for r in batch] == [r.tokens for r in other]
        for one, same in zip(batch, other, strict=True):
            assert one.probabilities == pytest.approx(same.probabilities, abs=2e-6)


def test_a_batch_that_begins_before_another_ends_runs_no_text_twice(load):
    classifier, alone = load(cache_entries=0), load(cache_entries=0)
    ran = spy(classifier)
    first = classifier.begin(classifier.prepare(["숲길", "숲길 숲길"]))
    second = classifier.begin(classifier.prepare(["숲길 숲길", "산", "숲길"]))
    got = classifier.finish(first) + classifier.finish(second)
    expected = alone.classify(["숲길", "숲길 숲길", "숲길 숲길", "산", "숲길"])
    assert sum(map(len, ran)) == 3
    for one, other in zip(got, expected, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=2e-6)


def test_nobody_waits_for_a_batch_that_failed(load):
    classifier = load()
    run = classifier.run
    classifier.run = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        classifier.classify(["숲길"])
    classifier.run = run
    assert isinstance(classifier.classify(["숲길"])[0], Reading)


def test_the_time_of_a_batch_is_not_that_of_the_one_before(load):
    classifier = load()
    clock = iter([0.0, 1.0, 10.0, 10.0, 13.0, 13.0])
    classifier.now = lambda: next(clock)
    first, second = (classifier.begin(classifier.prepare([text])) for text in ("숲길", "산"))
    classifier.finish(first)
    assert classifier.stats.forward_seconds == 10.0
    classifier.finish(second)
    assert classifier.stats.forward_seconds == 13.0


def test_how_many_characters_it_reads_a_second_is_measured_and_leaves_nothing(load):
    classifier = load(chunk_tokens=100)
    ran = spy(classifier)
    ticks = itertools.count()
    classifier.now = lambda: float(next(ticks))
    rate = classifier.characters_per_second()
    times = sum(map(len, ran)) / 2 / sum(len(text.pieces) for text in classifier.splitter.split(SAMPLE))
    assert rate == pytest.approx(times * sum(map(len, SAMPLE)), rel=0.02), "the second pass takes a second"
    assert classifier.stats.texts == len(classifier.cache) == 0


def test_that_measurement_is_short_whatever_the_chunk_size(load):
    classifier = load(chunk_tokens=400_000)
    ran = spy(classifier)
    assert classifier.characters_per_second() > 0
    assert max(map(sum, ran)) <= 512


def test_nothing_can_be_measured_where_cleaning_leaves_nothing_or_no_memory_is(load):
    classifier = load(chunk_tokens=100)
    classifier.splitter = Splitter(
        Cleaning(("kept", "spaces"), kept="@"),
        classifier.splitter._tokenizer,
        max_length=60,
        max_sentences=64,
        mode="auto",
    )
    assert classifier.characters_per_second() == 0


def test_what_is_abandoned_is_not_read(load):
    classifier, go_on, ran = load(chunk_tokens=8), threading.Event(), []
    run = classifier.run
    classifier.run = lambda ids, lengths: (go_on.wait(5), ran.append(lengths), run(ids, lengths))[-1]
    begun = classifier.begin(classifier.prepare(["숲 " * n for n in range(1, 30)]))
    classifier.abandon()
    go_on.set()
    with pytest.raises(CancelledError):
        classifier.finish(begun)
    assert len(ran) <= classifier.lanes.count < len(begun.chunks)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3).filter(lambda row: sum(row) > 0), min_size=1, max_size=5))
def test_rounded_probabilities_sum_to_one_and_keep_their_label(rows):
    exact = np.array(rows)
    exact /= exact.sum(axis=1, keepdims=True)
    for row, rounded in zip(exact, rounded_to_one(exact), strict=True):
        assert sum(rounded) == pytest.approx(1, abs=1e-12)
        assert rounded == pytest.approx(row, abs=1.1e-6)
        assert rounded[int(row.argmax())] == pytest.approx(max(rounded), abs=1.1e-6)
        assert all(0 <= value <= 1 for value in rounded)


def test_any_thread_may_classify(load):
    classifier = load(chunk_tokens=40)
    several = [["숲 " * (n + shift) for n in range(1, 9)] for shift in range(4)]
    alone = [load(chunk_tokens=40).classify(one) for one in several]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(classifier.classify, several * 20))
    for one, other in zip(alone * 20, together, strict=True):
        assert [each.tokens for each in one] == [each.tokens for each in other]
        for before, after in zip(one, other, strict=True):
            assert before.probabilities == pytest.approx(after.probabilities, abs=2e-6)
