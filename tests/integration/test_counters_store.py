"""The calls that change the counts, on Redis 6.2, on the installed one, and on a cluster."""

import dataclasses
import json
import random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nifos_stream.counters import connect, fields
from nifos_stream.counters.buckets import Calendar
from nifos_stream.counters.event import Event, Signature
from nifos_stream.counters.generations import PartitionState, bury_unread
from nifos_stream.counters.reader import Counts
from nifos_stream.counters.rules import Rules
from nifos_stream.counters.samples import Keeping, chance_of
from nifos_stream.counters.store import Batch, Keys, Store, Why, script
from nifos_stream.counters.tally import Tally
from nifos_stream.settings import Settings
from tests.integration.kafka_tools import wait_until
from tests.integration.redis_servers import programs, server

TOPIC = "topic-id"


@pytest.fixture
def client(redis_url):
    connected = connect.wait_until_ready(redis_url, 5.0, 30.0)
    connected.flushall()
    yield connected
    connected.close()


@pytest.fixture
def rules():
    return Rules.of(Settings(counters={"max_values": 3, "always_values": {"source": ["named"]}}))


@pytest.fixture
def store(client, rules):
    return Store(client, Keys("t"), rules)


def now_of(client):
    answer = client.time() if not hasattr(client, "get_primaries") else client.time(target_nodes="random")
    return next(iter(answer.values()))[0] if isinstance(answer, dict) else answer[0]


def offered(store, *events, partition=0, generation=1, start=0):
    """A batch with the posts of the events, each at the offset after the one before."""
    calendar = Calendar(store.rules.timezone)
    bars = store.bars(partition, generation, TOPIC, start)
    keeping = Keeping(store.rules, calendar, bars)
    for place, each in enumerate(events):
        keeping.add(each, start + place, json.dumps(each.parts).encode())
    counted = batch(store, start, start + len(events), *events)
    return dataclasses.replace(counted, kept=keeping.kept())


def post(time, number):
    parts = {
        "id": str(number),
        "text": "숲길",
        "sentiment": {"label": "negative", "score": 0.5},
        "origin": {"topic": "posts", "partition": 0, "offset": number, "timestamp": 1},
    }
    return event(time)._replace(parts=parts)


def chance(number):
    return chance_of(post(0, number), 0)


def ids(written):
    parts = map(json.loads, written)
    return [each["id"] if isinstance(each, dict) else each[9] for each in parts]


def batch(store, start, end, *events, since=1.0):
    tally = Tally(store.rules, Calendar(store.rules.timezone))
    for event in events:
        tally.add(event)
    return Batch(start, end, since if events else None, tally.buckets(0))


def event(time, source="s", label=0, channel="", keywords=()):
    return Event(time, True, 1.0, Signature(label, source, channel, keywords, "r"), (1, 0, 0))


def total(store, partition=0, generation=1):
    found = store.client.hgetall(store.keys.bucket(partition, generation, "total"))
    return {name: int(count) for name, count in found.items()}


def test_a_batch_counts_once_however_often_it_is_sent(store, client):
    opened = store.open(0, TOPIC, 0, 9)
    assert (opened.generation, opened.position, opened.begun) == (1, 0, True)
    assert store.apply(0, 1, TOPIC, batch(store, 0, 5, event(now_of(client)))) is None
    assert store.apply(0, 1, TOPIC, batch(store, 0, 5, event(now_of(client)))) is Why.POSITION
    assert store.apply(0, 1, TOPIC, batch(store, 5, 4)) is Why.BACKWARDS
    assert store.apply(0, 1, TOPIC, batch(store, 5, 9)) is None
    assert store.open(0, TOPIC, 0, 9).position == 9
    assert total(store)["all:negative"] == 1


def test_whatever_does_not_fit_is_refused_and_changes_nothing(store, client):
    assert store.apply(0, 1, TOPIC, batch(store, 0, 5, event(now_of(client)))) is Why.GONE
    store.open(0, TOPIC, 0, 9)
    assert store.apply(0, 1, "another", batch(store, 0, 5, event(now_of(client)))) is Why.TOPIC
    other = Store(client, store.keys, Rules.of(Settings()))
    assert other.open(0, TOPIC, 0, 9) is Why.FINGERPRINT
    assert other.apply(0, 1, TOPIC, batch(other, 0, 5, event(now_of(client)))) is Why.FINGERPRINT
    assert total(store) == {}
    assert PartitionState.of(store.state(0)).read.position == 0


def test_a_count_that_is_no_number_stops_the_call_before_it_writes(store, client):
    store.open(0, TOPIC, 0, 9)
    store.apply(0, 1, TOPIC, batch(store, 0, 1, event(now_of(client))))
    client.hset(store.keys.bucket(0, 1, "total"), "all:negative", "many")
    with pytest.raises(connect.ResponseError):
        store.apply(0, 1, TOPIC, batch(store, 1, 2, event(now_of(client))))
    assert PartitionState.of(store.state(0)).read.position == 1


def test_buckets_end_by_their_own_time_alone(store, client, rules):
    now = now_of(client)
    store.open(0, TOPIC, 0, 9)
    store.apply(0, 1, TOPIC, batch(store, 0, 1, event(now - 100_000)))
    hour = (now - 100_000) // 3600 * 3600
    assert client.ttl(store.keys.bucket(0, 1, f"1h:{hour}")) == pytest.approx(
        hour + 3600 + rules.retention_seconds["1h"] - now, abs=5
    )
    assert client.ttl(store.keys.bucket(0, 1, "total")) == -1
    assert client.ttl(store.keys.state(0)) == -1
    # Its ten seconds are over for good: the event counts in what is kept longer.
    old = (now - 100_000) // 10 * 10
    assert client.ttl(store.keys.bucket(0, 1, f"10s:{old}")) == -2


def test_the_latest_posts_and_the_least_chances_stay(client, redis_url):
    """However many go into a call; a full sample tells its bar, and what lies above it is not even sent."""
    rules = Rules.of(Settings(counters={"latest_posts": 7, "sample_posts": 5}))
    now = now_of(client)
    posts = [post(now - number % 2 * 4000, number) for number in range(200)]
    least = [sorted(range(odd, 200, 2), key=chance)[:5] for odd in (0, 1)]
    for partition, size in enumerate((1, 13, 200)):
        store = Store(client, Keys("t"), rules)
        store.open(partition, TOPIC, 0, 999)
        sent = 0
        for at in range(0, 200, size):
            some = offered(store, *posts[at : at + size], partition=partition, start=at)
            sent += sum(len(sample.offered) for sample in some.kept.samples.values())
            assert store.apply(partition, 1, TOPIC, some) is None
        assert ids(client.lrange(store.keys.bucket(partition, 1, "latest"), 0, -1)) == [
            str(number) for number in range(199, 192, -1)
        ]
        hour = now - now % 3600
        for number, begin in enumerate((now - now % 600, (now - 4000) // 600 * 600)):
            key = store.keys.bucket(partition, 1, f"sample:10m:{begin}")
            assert ids(client.zrange(key, 0, -1)) == [str(each) for each in least[number]]
            assert client.ttl(key) == pytest.approx(begin + 600 + 9000 - now, abs=5)
            assert client.zscore(store.keys.bucket(partition, 1, "keys"), key) == begin + 9600
        assert len(ids(client.zrange(store.keys.bucket(partition, 1, f"sample:1h:{hour}"), 0, -1))) == 5
        bars = store.bars(partition, 1, TOPIC, 200)
        assert bars[f"sample:10m:{now - now % 600}"] == chance(least[0][4])
        assert store.bars(partition, 1, TOPIC, 199) == {}
        assert sent < 200 if size == 1 else True
    _told(store)
    with Counts(redis_url, prefix="t") as counts:
        sample = counts.sample("5m")
        assert [read.id for read in sample.posts] == [str(each) for each in least[0]]
        assert not sample.whole


def _told(store):
    store.note_topic(TOPIC, 1)


def test_nothing_is_known_of_the_samples_of_counts_that_are_gone(client):
    """An emptied Redis, and a topic whose first offset is by now the one that was counted up to."""
    now = int(now_of(client))
    store = Store(client, Keys("t"), Rules.of(Settings(counters={"sample_posts": 2})))
    store.open(0, TOPIC, 0, 9)
    assert store.apply(0, 1, TOPIC, offered(store, *(post(now, number) for number in range(9)))) is None
    assert store.bars(0, 1, TOPIC, 9)
    client.flushall()
    assert store.open(0, TOPIC, 9, 9).generation == 1
    assert store.bars(0, 1, TOPIC, 9) == {}


def test_posts_of_a_refused_batch_are_not_kept(store, client):
    store.open(0, TOPIC, 0, 9)
    some = offered(store, post(now_of(client), 1))
    assert store.apply(0, 1, TOPIC, some) is None
    assert store.bars(0, 1, TOPIC, 1) == {}
    assert store.apply(0, 1, TOPIC, some) is Why.POSITION
    assert store.apply(0, 1, TOPIC, offered(store, post(now_of(client), 2), start=7)) is Why.POSITION
    assert ids(client.lrange(store.keys.bucket(0, 1, "latest"), 0, -1)) == ["1"]


def test_a_key_of_posts_that_holds_something_else_stops_the_call_before_it_writes(store, client):
    store.open(0, TOPIC, 0, 9)
    client.set(store.keys.bucket(0, 1, "latest"), "mine")
    with pytest.raises(connect.ResponseError):
        store.apply(0, 1, TOPIC, offered(store, post(now_of(client), 1)))
    assert PartitionState.of(store.state(0)).read.position == 0
    assert total(store) == {}


def test_a_generation_is_deleted_with_its_posts(store, client):
    store.open(0, TOPIC, 0, 9)
    store.apply(0, 1, TOPIC, offered(store, *(post(now_of(client), number) for number in range(9))))
    store.open(0, TOPIC, 0, 9, "renew")
    bury_unread(store, [0], 600.0)
    assert not client.exists(store.keys.bucket(0, 1, "latest"))
    assert not list(client.scan_iter("{t:0}:1:*"))


def test_places_are_taken_in_the_order_of_offsets(store, client):
    """The same events in calls of any size fill the same places."""
    now, rng = now_of(client), random.Random(3)
    events = [
        event(now, rng.choice(("a", "b", "c", "d", "e", "named")), rng.randrange(3)) for _ in range(200)
    ]
    found = []
    for partition, size in enumerate((1, 7, 200)):
        store.open(partition, TOPIC, 0, 9)
        for at in range(0, 200, size):
            part = events[at : at + size]
            assert store.apply(partition, 1, TOPIC, batch(store, at, at + len(part), *part)) is None
        found.append(total(store, partition))
    assert found[0] == found[1] == found[2]
    first = list(dict.fromkeys(one.signature.source for one in events if one.signature.source != "named"))
    inside = {name.split(":")[1] for name in found[0] if name.startswith("source:")}
    assert inside == {*first[:3], "named", fields.OTHER}
    assert found[0]["places:source"] == 3


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(), min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_any_value_comes_back(client, redis_url, source, keyword):
    client.flushall()
    rules = Rules.of(Settings())
    store = Store(client, Keys("t"), rules)
    store.note_topic(TOPIC, 1)
    store.open(0, TOPIC, 0, 9)
    one = event(now_of(client), fields.written(source), 2, "c", (fields.written(keyword),))
    assert store.apply(0, 1, TOPIC, batch(store, 0, 1, one)) is None
    seen = source.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    with Counts(redis_url, prefix="t") as counts:
        assert counts.total("source").groups[seen].positive == 1
        assert counts.total("source", where={"keyword": keyword}).groups[seen].positive == 1
        assert counts.total("keyword", where={"source": source}).groups[keyword].positive == 1
        assert counts.window("1h", where={"channel": "c", "keyword": keyword}).total.positive == 1


def test_partitions_are_added_up(store, client, redis_url):
    store.note_topic(TOPIC, 5)
    for partition in range(5):
        store.open(partition, TOPIC, 0, 9)
        store.apply(partition, 1, TOPIC, batch(store, 0, 4, *[event(now_of(client))] * (partition + 1)))
        store.sample(partition, TOPIC, 6, 0)
    store.note_backlog(17)
    with Counts(redis_url, prefix="t") as counts:
        window = counts.window("5m", by="source")
        assert window.total.negative == window.groups["s"].negative == 15
        assert window.freshness.behind == 10
        assert window.freshness.behind_seconds is None
        assert window.freshness.backlog == 17
        assert 0 < window.freshness.rebuilding < 1


def test_a_rebuild_is_named_once_it_is_level(store, client):
    store.open(0, TOPIC, 0, 9)
    store.apply(0, 1, TOPIC, batch(store, 0, 6, event(now_of(client))))
    opened = store.open(0, TOPIC, 0, 9, "rebuild")
    assert (opened.generation, opened.position) == (2, 0)
    store.apply(0, 2, TOPIC, batch(store, 0, 5, event(now_of(client))), rebuilding=True)
    assert store.name(0, 2) == 6
    store.apply(0, 2, TOPIC, batch(store, 5, 6), rebuilding=True)
    assert store.name(0, 2) is None
    assert store.apply(0, 1, TOPIC, batch(store, 6, 7)) is Why.OLDER
    assert store.open(0, TOPIC, 0, 9).generation == 2
    assert store.name(0, 1) is Why.OLDER
    bury_unread(store, [0], 600)
    assert PartitionState.of(store.state(0)).generations.keys() == {2}
    assert not client.exists(store.keys.bucket(0, 1, "total"))
    assert not client.exists(store.keys.bucket(0, 1, "keys"))
    assert store.open(0, TOPIC, 0, 9, "rebuild").generation == 3


def test_a_silent_rebuild_is_buried_and_can_write_no_more(store, client):
    store.open(0, TOPIC, 0, 9)
    store.open(0, TOPIC, 0, 9, "rebuild")
    store.apply(0, 2, TOPIC, batch(store, 0, 3, event(now_of(client))), rebuilding=True)
    assert store.bury(0, 2, silence_seconds=600) is False
    assert store.bury(0, 1, silence_seconds=0) is False
    assert store.bury(0, 2, silence_seconds=0) is True
    assert store.apply(0, 2, TOPIC, batch(store, 3, 5), rebuilding=True) is Why.GONE
    assert store.name(0, 2) is Why.GONE
    assert PartitionState.of(store.state(0)).generations.keys() == {1}


def test_a_state_that_was_deleted_alone_leaves_no_counts_to_add_to(store, client):
    for expected in (1, 2):
        assert store.open(0, TOPIC, 0, 9).generation == expected
        assert store.apply(0, expected, TOPIC, batch(store, 0, 5, event(now_of(client)))) is None
        assert total(store, generation=expected)["all:negative"] == 1
        client.delete(store.keys.state(0))
    assert store.open(0, TOPIC, 0, 9).generation == 3
    bury_unread(store, [0], 600)
    assert PartitionState.of(store.state(0)).generations.keys() == {3}
    assert not list(client.scan_iter("{t:0}:[12]:*"))


def test_a_generation_of_many_buckets_is_buried_whole(store, client):
    store.open(0, TOPIC, 0, 9)
    events = [event(now_of(client) - hours * 3600) for hours in range(700)]
    store.apply(0, 1, TOPIC, batch(store, 0, 700, *events))
    store.open(0, TOPIC, 0, 9, "rebuild")
    store.apply(0, 2, TOPIC, batch(store, 0, 700), rebuilding=True)
    assert store.name(0, 2) is None
    assert client.zcard(store.keys.bucket(0, 1, "keys")) > 700
    assert store.bury(0, 1, silence_seconds=0) is True
    assert not list(client.scan_iter("{t:0}:1:*"))


def test_a_generation_that_is_read_again_loses_nothing(store, client):
    """Between two calls of a burial Redis may have become an older one, where the buried one is read."""
    store.open(0, TOPIC, 0, 9)
    store.apply(0, 1, TOPIC, batch(store, 0, 5, event(now_of(client))))
    keys = [store.keys.state(0), *(store.keys.bucket(0, 1, name) for name in ("keys", "total"))]
    assert script("bury")(client, keys, [1, 0, 500]) == ["kept"]
    assert total(store)["all:negative"] == 1


@pytest.mark.parametrize("redis_url", ["cluster"], indirect=True)
def test_a_cluster_one_of_whose_nodes_evicts_is_refused(client, redis_url):
    *_, last = client.get_primaries()
    client.config_set("maxmemory-policy", "allkeys-lru", target_nodes=[last])
    try:
        with pytest.raises(connect.UserError, match="allkeys-lru"):
            connect.wait_until_ready(redis_url, 5.0, 5.0)
    finally:
        client.config_set("maxmemory-policy", "noeviction", target_nodes=[last])


@pytest.mark.parametrize("redis_url", ["cluster"], indirect=True)
def test_a_client_of_a_cluster_that_is_closed_leaves_no_connection_at_any_node(client, redis_url):
    def named():
        answers = client.client_list(target_nodes="all")
        return {node for node, clients in answers.items() if any(each["name"] == "t" for each in clients)}

    closed = connect.wait_until_ready(redis_url, 5.0, 5.0)
    closed.client_setname("t", target_nodes="all")
    assert named() == {node.name for node in client.get_nodes()}
    closed.close()
    wait_until(lambda: not named(), 10)


def test_another_topic_is_counted_anew_at_once(store, client):
    store.open(0, TOPIC, 0, 9)
    store.apply(0, 1, TOPIC, batch(store, 0, 9, event(now_of(client))))
    store.sample(0, TOPIC, 9, 0)
    opened = store.open(0, "another", 2, 50)
    assert (opened.generation, opened.position, opened.begun) == (2, 2, True)
    assert store.sample(0, TOPIC, 9, 0) is None
    assert client.zcard(store.keys.ends(0)) == 0
    assert store.apply(0, 1, TOPIC, batch(store, 9, 12)) is Why.OLDER


def test_ends_tell_when_a_partition_was_level(store):
    store.open(0, TOPIC, 0, 9)
    store.apply(0, 1, TOPIC, batch(store, 0, 5))
    assert store.sample(0, TOPIC, 7, 0).level_at is None
    level = store.sample(0, TOPIC, 5, 2000)
    assert level.now - level.level_at == pytest.approx(2, abs=0.5)
    for end in range(8, 2000):
        store.sample(0, TOPIC, end, 0)
    assert store.client.zcard(store.keys.ends(0)) <= 513
    store.apply(0, 1, TOPIC, batch(store, 5, 1999))
    store.sample(0, TOPIC, 1999, 0)
    assert store.client.zcard(store.keys.ends(0)) == 1


def test_a_user_may_be_told_only_what_is_needed(tmp_path):
    """CONFIG forbidden, a wrong password: a warning and one sentence."""
    options = ("--requirepass", "secret", "--rename-command", "CONFIG", "")
    with server(tmp_path, programs()["bundled"], *options) as port:
        with pytest.raises(connect.UserError, match="refused the user name or password"):
            connect.wait_until_ready(f"redis://:wrong@127.0.0.1:{port}/0", 5.0, 5.0)
        with pytest.raises(connect.UserError, match="refused the user name or password"):
            connect.wait_until_ready(f"redis://127.0.0.1:{port}/0", 5.0, 5.0)
        connect.wait_until_ready(f"redis://:secret@127.0.0.1:{port}/0", 5.0, 5.0).close()


def test_a_unix_socket_and_a_sentinel_are_reached(tmp_path):
    program, socket = programs()["bundled"], tmp_path / "redis.sock"
    with server(tmp_path / "a", program, "--save", "", "--unixsocket", str(socket)) as port:
        connect.wait_until_ready(f"unix://{socket}?db=1", 5.0, 10.0).close()
        config = tmp_path / "sentinel.conf"
        config.write_text(f"sentinel monitor nifos 127.0.0.1 {port} 1\n")
        with server(tmp_path / "b", program, str(config), "--sentinel") as sentinel:
            url = f"redis+sentinel://127.0.0.1:{sentinel}/nifos"
            found = connect.wait_until_ready(url, 5.0, 20.0)
            assert found.set("t", json.dumps(1))
            found.close()
