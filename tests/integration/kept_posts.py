"""Which posts should lie in Redis beside the counts, found from the topic by plain code, and which do.

wanted(bootstrap, settings) -> {partition: {"latest": [post, …], "sample:10m:…": {post, …}, …}}
there(client, settings, when) -> the same as it lies in Redis
assert_kept(bootstrap, client, settings)
A post is (id, label's number, milliseconds of its time).
"""

import datetime as dt
import json
from zoneinfo import ZoneInfo

from tests.integration.kafka_tools import read_all

LABELS = ("negative", "neutral", "positive")
LENGTHS = {"10m": (600, 9000), "1h": (3600, 49 * 3600), "1d": (86_400, 15 * 86_400)}


def wanted(bootstrap, settings, when):
    """when(event, labelled_at, settings): its time in seconds."""
    found = {}
    for record in read_all(bootstrap, settings.topics.sentiment):
        partition = found.setdefault(record.partition, {"latest": []})
        try:
            event = json.loads(record.value or b"")
            label, labelled_at = event["sentiment"]["label"], event["labelled_at"]
        except (ValueError, KeyError, TypeError):
            continue
        time = when(event, labelled_at, settings)
        post = (event["id"], LABELS.index(label), round(time * 1000))
        partition["latest"].insert(0, post)
        for length in LENGTHS:
            partition.setdefault(f"sample:{length}:{_begin(length, time, settings)}", []).append(
                (_chance(event["origin"]), post)
            )
    for names in found.values():
        for name, posts in names.items():
            if name == "latest":
                names[name] = posts[: settings.counters.latest_posts]
            else:
                names[name] = {post for _, post in sorted(posts)[: settings.counters.sample_posts]}
    return found


def _begin(length, time, settings):
    if length != "1d":
        return int(time // LENGTHS[length][0] * LENGTHS[length][0])
    day = dt.datetime.fromtimestamp(time, ZoneInfo(settings.timezone))
    return int(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def _chance(origin):
    """splitmix64, as it is published, of the offset plus the milliseconds times 2^20; its upper 48 bits."""
    z = (origin["offset"] + origin["timestamp"] * 2**20) * 0x9E3779B97F4A7C15 % 2**64
    z = (z ^ z // 2**30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z // 2**27) * 0x94D049BB133111EB % 2**64
    return z // 2**16


def there(client, settings, when):
    found, prefix = {}, settings.counters.prefix
    for state in client.scan_iter(f"{{{prefix}:*}}:state", 1000):
        partition = int(state.decode().partition("}")[0].rpartition(":")[2])
        named = client.hget(state, "named")
        if named is None:
            continue
        begin = f"{{{prefix}:{partition}}}:{named.decode()}:"
        names = found[partition] = {
            "latest": [_event(post, settings, when) for post in client.lrange(f"{begin}latest", 0, -1)]
        }
        for key in client.scan_iter(f"{begin}sample:*", 1000):
            name = key.decode().removeprefix(begin)
            names[name] = {_post(post) for post in client.zrange(key, 0, -1)}
    return found


def assert_bounded(client, settings):
    """Every sample ends by the end of its stretch, and whoever deletes a generation knows of it."""
    keys = list(client.scan_iter(f"{{{settings.counters.prefix}:*}}:*:sample:*", 1000))
    assert keys
    for key in keys:
        begin, _, name = key.decode().partition("sample:")
        length, at = name.split(":")
        expires_at = int(at) + sum(LENGTHS[length])
        assert client.ttl(key) + client.time()[0] - expires_at in (-1, 0, 1)
        assert client.zscore(f"{begin}keys", key) == expires_at
        assert client.zscore(f"{begin}keys", f"{begin}latest") == float("inf")


def _post(written):
    label, time, *rest = json.loads(written)
    return (rest[7], label, time)


def _event(written, settings, when):
    event = json.loads(written)
    label, labelled_at = event["sentiment"]["label"], event["labelled_at"]
    return (event["id"], LABELS.index(label), round(when(event, labelled_at, settings) * 1000))


def assert_kept(bootstrap, client, settings, when):
    """Redis keeps exactly the posts that it should; returns how many of samples were cut."""
    should, does = wanted(bootstrap, settings, when), there(client, settings, when)
    now, cut = client.time()[0], 0

    def lives(name, margin):
        if name == "latest":
            return True
        _, length, at = name.split(":")
        return int(at) + sum(LENGTHS[length]) > now + margin

    for partition, names in should.items():
        kept = does.get(partition, {"latest": []})
        for name, posts in names.items():
            if lives(name, 30):
                assert kept.get(name) == posts, f"partition {partition}, {name}"
                cut += name != "latest" and len(posts) == settings.counters.sample_posts
        strange = [name for name in kept if lives(name, 0) and name not in names]
        assert not strange, f"partition {partition}: {strange}"
    return cut
