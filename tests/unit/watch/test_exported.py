"""What metrics say of the counts is what the counts say, of not too many values."""

import pytest
from prometheus_client import generate_latest

from nifos_stream.counters.reader import RedisAway
from nifos_stream.counters.shapes import Count
from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from nifos_stream.watch.exported import MOST_VALUES, WINDOWS, ExportedCounts


class FakeWindow:
    def __init__(self, groups, other):
        self.groups = groups
        self.other = other
        self.total = sum(groups.values(), Count(1, 0, 0))


class FakeCounts:
    """25 sources, 25 keywords, and what had no place."""

    def __init__(self):
        self.raises = None
        self.not_counted = ()
        self.away_by = ()
        self.asked = []

    def window(self, window, by=None):
        self.asked.append((window, by))
        if self.raises:
            raise self.raises
        if by in self.away_by:
            raise RedisAway("away")
        if by in self.not_counted:
            raise UserError("not counted")
        return FakeWindow({f"{by}{n}": Count(100 - n, 1, 2) for n in range(25)}, Count(0, 7, 0))


@pytest.fixture
def exported():
    metrics, fake = Metrics(), FakeCounts()
    clock = [0.0]
    metrics.answer(ExportedCounts(fake, now=lambda: clock[0]))
    return metrics.registry, fake, clock


def value(registry, name, **labels):
    return registry.get_sample_value(f"nifos_{name}", labels)


def test_a_window_is_there_by_label_source_and_keyword(exported):
    registry, _, _ = exported
    assert value(registry, "window_posts", window="1h", label="negative") == 1 + sum(range(76, 101))
    assert value(registry, "window_source_posts", window="5m", source="source0", label="positive") == 2
    assert value(registry, "window_keyword_posts", window="24h", keyword="keyword3", label="negative") == 97


def test_the_rest_of_the_sources_is_one_and_nothing_is_lost(exported):
    registry, _, _ = exported
    samples = [
        sample
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "nifos_window_source_posts" and sample.labels["window"] == "1h"
    ]
    assert len(samples) == 3 * (MOST_VALUES + 1)
    neutral = sum(sample.value for sample in samples if sample.labels["label"] == "neutral")
    assert neutral == 25 + 7
    assert value(registry, "window_source_posts", window="1h", source="(other)", label="neutral") == 5 + 7


def test_redis_is_read_once_in_a_few_seconds_however_many_ask(exported):
    registry, fake, clock = exported
    for seconds in (0.0, 1.0, 4.9):
        clock[0] = seconds
        generate_latest(registry)
    assert fake.asked == [(window, by) for window in WINDOWS for by in (None, "source", "keyword")]
    clock[0] = 5.0
    generate_latest(registry)
    assert len(fake.asked) == 2 * 3 * len(WINDOWS)


def test_without_redis_there_is_no_sample_and_everything_else(exported):
    registry, fake, _ = exported
    fake.raises = RedisAway("away")
    text = generate_latest(registry).decode()
    assert "nifos_window_posts{" not in text
    assert "nifos_healthy 0.0" in text


def test_redis_that_goes_away_half_way_leaves_no_half_of_the_samples(exported):
    registry, fake, _ = exported
    fake.away_by = ("keyword",)
    text = generate_latest(registry).decode()
    assert "nifos_window_posts{" not in text
    assert "nifos_window_source_posts{" not in text


def test_what_is_not_counted_has_no_samples(exported):
    registry, fake, _ = exported
    fake.not_counted = ("keyword",)
    text = generate_latest(registry).decode()
    assert "nifos_window_keyword_posts{" not in text
    assert "nifos_window_source_posts{" in text
