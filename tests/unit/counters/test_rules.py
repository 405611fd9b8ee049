import pytest

from nifos_stream.counters.rules import Rules
from nifos_stream.settings import Settings

CHANGES = [
    {"timezone": "Europe/Berlin"},
    {"counters": {"max_values": 7}},
    {"counters": {"dimensions": ["source"]}},
    {"counters": {"always_values": {"source": ["twitter"]}}},
    {"counters": {"retention": {"minutes_hours": 50}}},
    {"counters": {"future_tolerance_seconds": 1}},
    {"counters": {"latest_posts": 7}},
    {"counters": {"sample_posts": 7}},
    {"counters": {"text_characters": 70}},
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_decides_a_count_is_in_the_fingerprint(change):
    assert Rules.of(Settings(**change)).fingerprint() != Rules.of(Settings()).fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"counters": {"prefix": "other", "group_id": "other", "batch_events": 7}},
        {"counters": {"dimensions": list(reversed(Settings().counters.dimensions))}},
        {"kafka": {"bootstrap_servers": "elsewhere:9092"}},
    ],
)
def test_what_does_not_is_not(change):
    assert Rules.of(Settings(**change)).fingerprint() == Rules.of(Settings()).fingerprint()


@pytest.mark.parametrize("change", CHANGES)
def test_rules_survive_being_written(change):
    rules = Rules.of(Settings(**change))
    assert Rules.from_json(rules.to_json()) == rules


def test_values_named_in_the_settings_are_always_let_in():
    named = {"source": ["a:b"], "keyword": ["산불"], "channel*keyword": ["sns*등산"]}
    rules = Rules.of(Settings(counters={"always_values": named}))
    assert rules.always("source", "a%3Ab")
    assert not rules.always("source", "twitter")
    assert rules.always("source*keyword", "a%3Ab*산불")
    assert not rules.always("source*keyword", "a%3Ab*등산")
    assert rules.always("channel*keyword", "sns*등산")
