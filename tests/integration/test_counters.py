"""The counter view on real Kafka and real Redis, against an oracle made from the topic."""

import datetime as dt
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition

from nifos_stream.counters.reader import Counts, RedisAway
from nifos_stream.counters.rebuild import rebuild
from nifos_stream.errors import UserError
from nifos_stream.local.stack import LocalStack
from tests.integration.counted import Events, assert_equal, expected, found, viewing
from tests.integration.kafka_tools import (
    New,
    create_topic,
    delete_topic,
    end_offsets,
    environment,
    lag,
    produce_all,
    trim,
    wait_until,
)

PARTITIONS = (0, 1, 2)


@pytest.fixture
def settings(make_settings):
    return make_settings(partitions=3)


@pytest.fixture
def bootstrap(settings):
    return settings.kafka.bootstrap_servers


@pytest.fixture
def counts(settings):
    with _reading(settings) as reader:
        yield reader


@pytest.fixture(scope="module")
def mistreated(tmp_path_factory):
    """A stack whose Redis is emptied, killed and filled up by one test after the other."""
    folder = tmp_path_factory.mktemp("mistreated")
    with LocalStack(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_redis(mistreated):
    with redis.Redis.from_url(mistreated.redis_url) as client:
        yield client
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")


def _reading(settings) -> Counts:
    return Counts(settings.redis.url.get_secret_value(), prefix=settings.counters.prefix)


def test_the_counts_equal_the_topic(settings, bootstrap, redis_client, counts):
    """Foreign records, aborted transactions, late and early dates; lag and `behind` reach 0."""
    events = Events(settings, PARTITIONS)
    events.produce(2000, transactions=10)
    with viewing(settings) as view:
        view.wait_level()
        events.produce(1000, transactions=10)
        view.wait_level()
        counted = assert_equal(bootstrap, redis_client, settings)
        fresh = wait_until(lambda: (f := counts.freshness()).behind_seconds is not None and f, 10)
        wait_until(lambda: counts.freshness().behind_seconds < 3, 10)
        wait_until(lambda: lag(bootstrap, settings.counters.group_id, settings.topics.sentiment) == 0, 10)
        assert view.view.health().ok
        assert view.value("events_skipped_total", reason="not_json") > 0
        assert view.value("future_events_total") > 0
        view.end()
    assert fresh.behind == 0
    assert fresh.rebuilding is None
    assert fresh.backlog == 0
    assert fresh.counted_since is not None
    assert counts.total().total.total == counted == sum(c.total for c in _all_days(counts))


def test_the_backlog_of_the_stage_before_is_shown_apart(settings, bootstrap, counts):
    """What was produced and not yet labelled; the offsets are those that the classifying group committed."""
    topic = settings.topics.posts
    produce_all(bootstrap, topic, [New(b"{}", partition=n % 3) for n in range(30)])
    with viewing(settings) as view:
        wait_until(lambda: counts.freshness().backlog == 30, 20)
        member = Consumer({"bootstrap.servers": bootstrap, "group.id": settings.stream.group_id})
        member.commit(offsets=[TopicPartition(topic, 0, 10), TopicPartition(topic, 1, 4)], asynchronous=False)
        member.close()
        wait_until(lambda: counts.freshness().backlog == 16, 20)
        view.end()
    assert counts.freshness().behind == 0


def _all_days(counts):
    long = counts.window(start="2000-01-01", end=dt.datetime.now(dt.UTC) + dt.timedelta(days=1), grain="1d")
    return [point.count for point in long.series]


def test_windows_by_value_and_by_counted_pairs(settings, bootstrap, counts):
    Events(settings, PARTITIONS).produce(1500, transactions=3)
    with viewing(settings) as view:
        view.wait_level()
        view.end()
    wanted = expected(bootstrap, settings)

    def total(field):
        return sum(
            bucket["total"].get(f"{field}:{label}", 0)
            for bucket in wanted.values()
            for label in ("negative", "neutral", "positive")
        )

    by_source = counts.total(by="source")
    assert by_source.groups["a:b*c%d"].total == total("source:a%3Ab%2Ac%25d") > 0
    assert by_source.groups["Twitter"].total == total("source:Twitter")
    assert by_source.groups["twitter"].total == total("source:twitter")
    assert by_source.sentence_groups["twitter"].total == total("sentences.source:twitter")
    assert by_source.sentences.total == total("sentences")
    assert "" not in by_source.groups
    assert by_source.other.total == 0

    filtered = counts.total(by="source", where={"keyword": "산:불"})
    assert filtered.total.total == total("keyword:산%3A불") > 0
    assert filtered.groups["a:b*c%d"].total == total("source*keyword:a%3Ab%2Ac%25d*산%3A불") > 0
    turned = counts.total(by="keyword", where={"source": "a:b*c%d"})
    assert turned.groups["산:불"] == filtered.groups["a:b*c%d"]
    both = counts.total(where={"keyword": "산:불", "source": "a:b*c%d"})
    assert both.total == filtered.groups["a:b*c%d"]

    with pytest.raises(UserError, match="not counted by"):
        counts.window("1h", by="source", where={"channel": "sns"})
    for window in ("5m", "1h", "24h", "7d"):
        answer = counts.window(window, by="channel")
        assert answer.total.total == sum(point.count.total for point in answer.series) > 0
        assert answer.start <= answer.end - dt.timedelta(minutes=5)
    years = counts.window(start="2020-01-01", grain="year", by="revision")
    assert years.total.total == sum(group.total for group in years.groups.values())
    assert years.series[0].start == dt.datetime(2020, 1, 1, tzinfo=years.start.tzinfo)


def test_a_flood_of_made_up_sources_is_bounded(make_settings, redis_client):
    """Places are taken in offset order, wherever the calls begin and end; named values are always let in."""
    capped = {"max_values": 4, "always_values": {"source": ["Twitter"], "keyword": ["산불"]}}
    settings = make_settings(partitions=2, counters={**capped, "batch_events": 37})
    Events(settings, (0, 1), flood=0.7).produce(1200, transactions=4)
    with viewing(settings) as view:
        view.wait_level()
        view.end()
    assert_equal(settings.kafka.bootstrap_servers, redis_client, settings)
    before = found(redis_client, settings)
    rebuild(
        settings.model_copy(update={"counters": settings.counters.model_copy(update={"batch_events": 500})})
    )
    assert found(redis_client, settings) == before
    with _reading(settings) as counts:
        by_source = counts.total(by="source")
    assert by_source.other.total > 0
    assert by_source.groups["Twitter"].total > 0


def test_redis_is_emptied_in_the_middle(make_settings, mistreated, own_redis):
    settings = make_settings(partitions=3, on=mistreated)
    events = Events(settings, PARTITIONS)
    events.produce(3000, transactions=10)
    with viewing(settings) as view:
        view.wait_level(0.1)
        with events.going_on():
            for _ in range(3):
                own_redis.flushall()
                time.sleep(1.0)
        view.wait_level()
        assert_equal(mistreated.bootstrap_servers, own_redis, settings)
        view.end()


def test_redis_is_emptied_while_nothing_comes(make_settings, mistreated, own_redis):
    """At night, too: nobody waits for the next post of each partition to see the counts again."""
    settings = make_settings(partitions=3, on=mistreated)
    Events(settings, PARTITIONS).produce(500)
    with viewing(settings) as view:
        view.wait_level()
        with _reading(settings) as counts:
            before = counts.total("source")
            own_redis.flushall()
            wait_until(lambda: counts.total("source").groups == before.groups, 15)
        view.wait_level()
        assert_equal(mistreated.bootstrap_servers, own_redis, settings)
        view.end()


def counts_on(view):
    """Wait until more is counted than now."""
    before = view.value("events_counted_total")
    wait_until(lambda: view.value("events_counted_total") > before, what="more is counted")


def test_redis_is_put_back_to_an_older_snapshot(make_settings, mistreated, own_redis, tmp_path):
    settings = make_settings(partitions=3, on=mistreated)
    events = Events(settings, PARTITIONS)
    events.produce(1000, transactions=10)
    with viewing(settings) as view:
        view.wait_level()
        with events.going_on():
            mistreated.redis.stop()
            shutil.copytree(mistreated.redis.folder, tmp_path / "older")
            mistreated.redis.start()
            mistreated.redis.wait_ready()
            counts_on(view)
            mistreated.redis.kill()
            shutil.rmtree(mistreated.redis.folder)
            shutil.copytree(tmp_path / "older", mistreated.redis.folder)
            mistreated.redis.start()
            mistreated.redis.wait_ready()
            counts_on(view)
        view.wait_level()
        counted = assert_equal(mistreated.bootstrap_servers, own_redis, settings)
        assert view.value("events_counted_total") > counted, "what the snapshot lacked was counted twice"
        view.end()


def test_redis_goes_back_while_the_view_does_not_notice(make_settings, mistreated, own_redis):
    """A failover that lost the newest writes: positions and counts are older, the connection lives on.

    Either the next batch is refused or, where none comes in time, the sampler sees the older position first:
    Redis goes back until a batch was refused.
    """
    settings = make_settings(partitions=3, on=mistreated)
    events = Events(settings, PARTITIONS)
    events.produce(1000, transactions=5)
    with viewing(settings) as view:
        view.wait_level()
        older = {key: (own_redis.dump(key), own_redis.pttl(key)) for key in own_redis.scan_iter("{*")}

        def is_refused():
            restore = own_redis.pipeline(transaction=True)
            restore.flushall()
            for key, (value, expiry) in older.items():
                if value is not None:
                    restore.restore(key, max(0, expiry), value)
            restore.execute()
            counts_on(view)
            return view.value("apply_refused_total", why="position") > 0

        with events.going_on():
            counts_on(view)
            wait_until(is_refused, what="a batch is refused for its position")
        view.wait_level()
        counted = assert_equal(mistreated.bootstrap_servers, own_redis, settings)
        assert view.value("events_counted_total") > counted, "what the snapshot lacked was counted twice"
        view.end()


def test_two_views_on_the_same_partitions_count_once(settings, bootstrap, redis_client):
    events = Events(settings, PARTITIONS)
    with (
        viewing(settings, partitions=PARTITIONS) as one,
        viewing(settings, partitions=PARTITIONS) as other,
        viewing(settings) as grouped,
    ):
        views = (one, other, grouped)
        with events.going_on(every_seconds=0.02):
            wait_until(
                lambda: sum(view.value("apply_refused_total", why="position") for view in views) >= 10,
                what="one of them comes too late, again and again",
            )
        for view in views:
            view.wait_level()
        assert_equal(bootstrap, redis_client, settings)
        for view in views:
            view.end()


def test_views_come_and_go(settings, bootstrap, redis_client):
    events = Events(settings, PARTITIONS)
    with events.going_on(every_seconds=0.05):
        for _ in range(4):
            with viewing(settings) as one, viewing(settings) as other:
                time.sleep(1.0)
                one.end()
                time.sleep(0.5)
                other.end()
    with viewing(settings) as last:
        last.wait_level()
        assert_equal(bootstrap, redis_client, settings)
        last.end()


def test_the_broker_restarts_in_the_middle(make_settings, mistreated, own_redis):
    settings = make_settings(partitions=3, on=mistreated)
    events = Events(settings, PARTITIONS)
    events.produce(1000, transactions=5)
    with viewing(settings) as view:
        view.wait_level(0.1)
        mistreated.restart_kafka()
        events.produce(600, transactions=3)
        mistreated.restart_kafka(by_force=True)
        events.produce(600, transactions=3)
        view.wait_level()
        assert_equal(mistreated.bootstrap_servers, own_redis, settings)
        view.end()


def test_redis_away_and_redis_full(make_settings, mistreated, own_redis):
    settings = make_settings(partitions=3, on=mistreated)
    events = Events(settings, PARTITIONS)
    events.produce(500, transactions=2)
    with viewing(settings) as view, _reading(settings) as counts:
        view.wait_level()
        with events.going_on():
            mistreated.redis.kill()
            wait_until(lambda: not view.view.health().ready, what="the view misses Redis")
            assert view.value("redis_up") == 0
            with pytest.raises(RedisAway):
                counts.total()
            mistreated.redis.start()
            mistreated.redis.wait_ready()
            wait_until(lambda: view.value("redis_up") == 1)
            own_redis.config_set("maxmemory", own_redis.info("memory")["used_memory"] + 100_000)
            events_before = view.value("events_counted_total")
            wait_until(lambda: view.value("redis_up") == 0, what="Redis is full")
            own_redis.config_set("maxmemory", 0)
            wait_until(lambda: view.value("events_counted_total") > events_before)
        view.wait_level()
        assert_equal(mistreated.bootstrap_servers, own_redis, settings)
        view.end()


def test_a_redis_that_evicts_is_refused(make_settings, mistreated, own_redis):
    settings = make_settings(partitions=1, on=mistreated)
    own_redis.config_set("maxmemory-policy", "allkeys-lru")
    with viewing(settings) as view, pytest.raises(UserError, match="noeviction"):
        view.wait_level()


class Watcher:
    """Looks at the lifetime total all the time, as people would."""

    def __init__(self, settings):
        self.seen: list[int] = []
        self._stop = threading.Event()
        self._settings = settings
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with _reading(self._settings) as counts:
            while not self._stop.is_set():
                self.seen.append(counts.total(by="source").total.total)

    def end(self):
        self._stop.set()
        self._thread.join()
        return self.seen


def test_a_rebuild_while_posts_go_on(settings, bootstrap, redis_client):
    """Watchers never see less, the views follow, the old generation is deleted."""
    events = Events(settings, PARTITIONS)
    events.produce(6000, transactions=10)
    with viewing(settings) as view:
        view.wait_level(0.1)
        watcher = Watcher(settings)
        try:
            with events.going_on(every_seconds=0.05):
                shares: list[float] = []
                done = rebuild(settings, progress=shares.append)
                time.sleep(1)
        finally:
            seen = watcher.end()
        view.wait_level()
        assert_equal(bootstrap, redis_client, settings)
        assert view.failure is None
        view.end()
    assert done.partitions == 3
    assert shares[-1] == 1.0
    assert seen == sorted(seen)
    assert len(seen) > 20
    for partition in PARTITIONS:
        prefix = f"{{{settings.counters.prefix}:{partition}}}"
        assert redis_client.hget(f"{prefix}:state", "named") == b"2"
        assert not list(redis_client.scan_iter(f"{prefix}:1:*"))


def test_a_rebuild_without_a_view_ends_by_itself(settings, bootstrap, redis_client):
    events = Events(settings, PARTITIONS)
    events.produce(2000, transactions=4)
    with viewing(settings) as view:
        view.wait_level(0.1)
        view.end()
    events.produce(500, transactions=2)
    rebuild(settings)
    assert_equal(bootstrap, redis_client, settings)


def test_a_killed_rebuild_is_cleaned_up(settings, bootstrap, redis_client):
    events = Events(settings, PARTITIONS)
    events.produce(6000, transactions=4)
    with viewing(settings, rebuilder_silence_seconds=2.0) as view:
        view.wait_level(0.1)
        script = (
            "import os, signal, sys; from nifos_stream.settings import load;"
            "from nifos_stream.counters.rebuild import rebuild;"
            "rebuild(load(), progress=lambda done: done > 0 and os.kill(os.getpid(), signal.SIGKILL))"
        )
        small = settings.model_copy(
            update={"counters": settings.counters.model_copy(update={"batch_events": 100})}
        )
        killed = subprocess.run(
            [sys.executable, "-c", script], env=environment(small), timeout=60, check=False
        )
        assert killed.returncode == -signal.SIGKILL
        left = f"{{{settings.counters.prefix}:*}}:2:*"
        assert list(redis_client.scan_iter(left, 1000))
        events.produce(500)
        wait_until(lambda: not list(redis_client.scan_iter(left, 1000)), 30, what="its keys are deleted")
        view.wait_level()
        assert_equal(bootstrap, redis_client, settings)
        rebuild(settings)
        view.wait_level()
        assert_equal(bootstrap, redis_client, settings)
        view.end()


def test_changed_settings_are_refused_until_rebuilt(settings, bootstrap, redis_client):
    events = Events(settings, PARTITIONS)
    events.produce(1000, transactions=2)
    with viewing(settings) as view:
        view.wait_level(0.1)
        view.end()
    other = settings.model_copy(
        update={
            "counters": settings.counters.model_copy(update={"dimensions": ("source",), "max_values": 2}),
            "timezone": "America/New_York",
        }
    )
    with viewing(other) as view, pytest.raises(UserError, match="counters rebuild"):
        view.wait_level()
    assert_equal(bootstrap, redis_client, settings)
    with viewing(settings) as live:
        live.wait_level(0.2)
        rebuild(other)
        events.produce(300)
        live.thread.join(30)
        assert isinstance(live.failure, UserError)
    with viewing(other) as view:
        view.wait_level()
        assert_equal(bootstrap, redis_client, other)
        view.end()


def test_a_topic_deleted_and_created_again_is_counted_anew(settings, bootstrap, redis_client, counts):
    events = Events(settings, PARTITIONS)
    events.produce(600, transactions=2)
    topic = settings.topics.sentiment
    with viewing(settings) as view:
        view.wait_level()
        delete_topic(bootstrap, topic)
        create_topic(bootstrap, topic, 3)
        # More than before, so that the old positions lie within the new topic.
        events = Events(settings, PARTITIONS, seed=2)
        events.produce(3000, transactions=6)
        wait_until(lambda: redis_client.hget(f"{{{settings.counters.prefix}:0}}:state", "named") == b"2", 60)
        view.wait_level(timeout_seconds=90)
        counted = assert_equal(bootstrap, redis_client, settings)
        assert counts.total().total.total == counted
        view.end()


def test_what_was_trimmed_before_it_was_counted_is_lost_loudly(settings, bootstrap, redis_client, counts):
    events = Events(settings, (0,))
    events.produce(500, foreign=False)
    with viewing(settings) as view:
        view.wait_level(0.1)
        view.end()
    stood = end_offsets(bootstrap, settings.topics.sentiment)[0]
    events.produce(400, foreign=False)
    trim(bootstrap, settings.topics.sentiment, {0: stood + 100})
    events.produce(100, foreign=False)
    with viewing(settings) as view:
        view.wait_level()
        assert view.value("events_lost_total") == 100
        assert not view.view.health().ok
        view.end()
    assert counts.total().total.total == 900

    with pytest.raises(UserError, match="--force"):
        rebuild(settings)
    assert counts.total().total.total == 900
    rebuild(settings, force=True)
    assert counts.total().total.total == 400
    assert_equal(bootstrap, redis_client, settings)


def test_a_view_that_reads_on_a_trimmed_topic_says_what_it_lost(make_settings, mistreated):
    """The topic is trimmed under a view that waits for Redis."""
    settings = make_settings(partitions=1, on=mistreated)
    events = Events(settings, (0,))
    events.produce(100, foreign=False)
    with viewing(settings) as view:
        view.wait_level()
        stood = end_offsets(mistreated.bootstrap_servers, settings.topics.sentiment)[0]
        mistreated.redis.send(signal.SIGSTOP)
        try:
            events.produce(300, foreign=False)
            trim(mistreated.bootstrap_servers, settings.topics.sentiment, {0: stood + 200})
        finally:
            mistreated.redis.send(signal.SIGCONT)
        view.wait_level(timeout_seconds=90)
        lost = view.value("events_lost_total")
        view.end()
    with _reading(settings) as counts:
        assert counts.total().total.total + lost == 400


def test_an_empty_redis_shows_how_far_it_is_filled(settings, counts):
    Events(settings, PARTITIONS).produce(3000, transactions=2)
    slow = settings.model_copy(update={"counters": settings.counters.model_copy(update={"batch_events": 50})})
    seen = []
    with viewing(slow) as view:
        while view.view.idle_seconds() < 0.3:
            seen.append(counts.freshness().rebuilding)
            assert view.failure is None
        view.end()
    shares = [share for share in seen if share is not None]
    assert shares == sorted(shares)
    assert shares
    assert seen[-1] is None
