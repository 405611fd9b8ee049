"""The posts kept beside the counts, on real Kafka and Redis, against an oracle made from the topic."""

import json
import time

import pytest

from nifos_stream.counters.reader import Counts, Filter
from nifos_stream.counters.rebuild import rebuild
from nifos_stream.errors import UserError
from tests.integration.counted import Events, _when, viewing
from tests.integration.kafka_tools import read_all
from tests.integration.kept_posts import assert_bounded, assert_kept, there, wanted

PARTITIONS = (0, 1, 2)


@pytest.fixture
def settings(make_settings):
    return make_settings(partitions=3, counters={"latest_posts": 30, "sample_posts": 10, "batch_events": 100})


@pytest.fixture
def bootstrap(settings):
    return settings.kafka.bootstrap_servers


@pytest.fixture
def counts(settings):
    with Counts(settings.redis.url.get_secret_value(), prefix=settings.counters.prefix) as reader:
        yield reader


def with_counters(settings, **changes):
    return settings.model_copy(update={"counters": settings.counters.model_copy(update=changes)})


def test_a_rebuild_and_an_emptied_redis_keep_the_same_posts(settings, bootstrap, redis_client):
    """Two views in small calls, then one large call, then a Redis that lost everything of the topic."""
    events = Events(settings, PARTITIONS)
    events.produce(1500, transactions=5)
    with viewing(settings, partitions=PARTITIONS) as one, viewing(settings) as other:
        with events.going_on(every_seconds=0.05):
            time.sleep(2)
        one.wait_level()
        other.wait_level()
        assert assert_kept(bootstrap, redis_client, settings, _when) > 20
        assert_bounded(redis_client, settings)
        first = there(redis_client, settings, _when)
        one.end()
        other.end()
    rebuild(with_counters(settings, batch_events=5000))
    assert assert_kept(bootstrap, redis_client, settings, _when) > 20
    for name in redis_client.scan_iter(f"{{{settings.counters.prefix}:*}}:*", 1000):
        redis_client.delete(name)
    with viewing(settings) as view:
        view.wait_level()
        assert assert_kept(bootstrap, redis_client, settings, _when) > 20
        view.end()
    assert there(redis_client, settings, _when) == first


def test_what_is_kept_is_read_through_the_reader(settings, bootstrap, counts):
    Events(settings, PARTITIONS).produce(1200, transactions=4)
    with viewing(settings) as view:
        view.wait_level()
        view.end()
    kept = wanted(bootstrap, settings, _when)
    events = {}
    for record in read_all(bootstrap, settings.topics.sentiment):
        if record.value and b'"sentiment"' in record.value:
            event = json.loads(record.value)
            events[event["id"]] = event

    latest = counts.latest(limit=1000).posts
    assert {post.id for post in latest} == {post[0] for names in kept.values() for post in names["latest"]}
    assert [post.labelled_at for post in latest] == sorted((p.labelled_at for p in latest), reverse=True)
    assert [post.id for post in counts.latest(limit=7).posts] == [post.id for post in latest[:7]]
    for post in latest:
        event = events[post.id]
        assert (post.text, post.source, post.channel) == (
            event["text"],
            event["source"] or None,
            event["channel"],
        )
        words = event["keywords"] or []
        assert post.keywords == tuple([words] if isinstance(words, str) else words)
        assert post.matched_keywords == tuple(event["matched_keywords"])
        assert (post.label, post.score) == (event["sentiment"]["label"], 0.9)
        assert (post.partition, post.offset) == (0, event["origin"]["offset"])
    of_twitter = counts.latest(Filter.of(["negative"], ["twitter"]), limit=1000).posts
    assert of_twitter == tuple(p for p in latest if p.label == "negative" and p.source == "twitter")

    for window, length in (("5m", "10m"), ("1h", "10m"), ("24h", "1h"), ("7d", "1d")):
        sample = counts.sample(window)
        everything = {
            post[0]
            for names in kept.values()
            for name, posts in names.items()
            if name.startswith(f"sample:{length}:")
            for post in posts
            if sample.start.timestamp() * 1000 <= post[2] < sample.end.timestamp() * 1000
        }
        assert {post.id for post in sample.posts} == everything
        assert everything
        counted = counts.window(start=sample.start, end=sample.end).total.total
        assert (len(sample.posts) == counted) >= sample.whole
        assert [each.chance for each in sample.drawn] == sorted(each.chance for each in sample.drawn)
        assert all(each.chance <= each.rate <= 1 for each in sample.drawn)
        stands_for = sum(1 / each.rate for each in sample.drawn)
        assert 0.5 * counted < stands_for < 2 * counted, "by ten posts of each stretch and partition"
        before = counts.sample(start=sample.start - (sample.end - sample.start), end=sample.start)
        assert before.end == sample.start
        assert not {post.id for post in before.posts} & {post.id for post in sample.posts}
    negative = counts.sample("7d", wanted=Filter.of(["negative"]))
    assert negative.posts == tuple(p for p in counts.sample("7d").posts if p.label == "negative")


def test_other_numbers_of_posts_are_refused_until_rebuilt(settings, bootstrap, redis_client):
    Events(settings, PARTITIONS).produce(600, transactions=2)
    with viewing(settings) as view:
        view.wait_level(0.2)
        view.end()
    more = with_counters(settings, sample_posts=25, latest_posts=50)
    with viewing(more) as view, pytest.raises(UserError, match="`nifos-stream counters rebuild`"):
        view.wait_level()
    rebuild(more)
    assert_kept(bootstrap, redis_client, more, _when)
    none = with_counters(settings, sample_posts=0, latest_posts=0)
    rebuild(none)
    assert there(redis_client, none, _when) == {partition: {"latest": []} for partition in PARTITIONS}
