import pytest
from confluent_kafka import KafkaError

from nifos_stream.counters.feed import Feed, consumer_properties
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.settings import KafkaSettings, Settings


class FakeMessage:
    def __init__(self, partition, offset, value=b"x", code=None, fatal=False):
        self._given = (partition, offset, value)
        self._error = None if code is None else KafkaError(code, "told so", fatal)

    def partition(self):
        return self._given[0]

    def offset(self):
        return self._given[1]

    def value(self):
        return self._given[2]

    def error(self):
        return self._error


def eof(partition, offset):
    return FakeMessage(partition, offset, None, KafkaError._PARTITION_EOF)


class FakeConsumer:
    """Hands out what it was given; a callable among it runs in the middle, as rebalance callbacks do."""

    def __init__(self):
        self.given = []
        self.sought = []
        self.paused = set()

    def assign(self, _places):
        self.paused = set()

    def unassign(self):
        self.paused = set()

    def pause(self, places):
        self.paused |= {place.partition for place in places}

    def resume(self, places):
        self.paused -= {place.partition for place in places}

    def seek(self, place):
        self.sought.append((place.partition, place.offset))

    def subscribe(self, _topics, on_assign, on_revoke, **_):
        self.on_assign, self.on_revoke = on_assign, on_revoke

    def consume(self, *_):
        messages = []
        for one in self.given:
            if callable(one):
                one()
            else:
                messages.append(one)
        self.given = []
        return messages


@pytest.fixture
def client():
    return FakeConsumer()


@pytest.fixture
def feed(client):
    feed = Feed(client, "labelled", [0, 1])
    feed.begin_at(0, 10)
    feed.begin_at(1, 0)
    return feed


def read(feed):
    return {part.partition: (part.end, part.offsets) for part in feed.read(100, 0.1)}


def test_slices_end_where_to_go_on(client, feed):
    client.given = [FakeMessage(0, 12), FakeMessage(0, 15), eof(1, 4)]
    assert read(feed) == {0: (16, [12, 15]), 1: (4, [])}
    client.given = [eof(0, 19)]
    assert not feed.at_end
    assert read(feed) == {0: (19, [])}
    assert feed.at_end


def test_new_records_end_the_end(client, feed):
    client.given = [eof(0, 10), eof(1, 0)]
    assert read(feed) == {}
    assert feed.at_end
    client.given = [FakeMessage(0, 10)]
    read(feed)
    assert not feed.at_end


def test_nothing_is_read_before_it_was_told_where_to_begin(client):
    feed = Feed(client, "labelled", [0])
    client.given = [FakeMessage(0, 3)]
    assert read(feed) == {}
    assert client.paused == feed.waiting == {0}
    feed.begin_at(0, 7)
    assert client.sought == [(0, 7)]
    assert client.paused == feed.waiting == set()


def test_records_of_before_a_rebalance_are_dropped(client):
    """The client may hand out, in one call, what it held of a partition before it went and came back."""

    class Place:
        partition = 0

    feed = Feed(client, "labelled")
    client.on_assign(client, [Place])
    feed.begin_at(0, 5)
    client.given = [FakeMessage(0, 5), lambda: client.on_revoke(client, [Place])]
    assert read(feed) == {}
    assert feed.owned == set()
    client.on_assign(client, [Place])
    feed.begin_at(0, 5)
    client.given = [
        FakeMessage(0, 9),
        lambda: client.on_revoke(client, [Place]),
        lambda: client.on_assign(client, [Place]),
    ]
    assert read(feed) == {}
    assert feed.waiting == {0}


@pytest.mark.parametrize(
    "strange", [FakeMessage(0, 3), FakeMessage(0, 11, None, KafkaError._AUTO_OFFSET_RESET)]
)
def test_a_partition_out_of_its_range_is_halted(client, feed, strange):
    client.given = [FakeMessage(0, 10), strange, FakeMessage(0, 500), FakeMessage(1, 0)]
    assert read(feed) == {1: (1, [0])}
    assert feed.waiting == client.paused == {0}


def test_a_fatal_error_ends_it(client, feed):
    client.given = [FakeMessage(None, None, None, KafkaError._FENCED, fatal=True)]
    with pytest.raises(BrokerUnavailable):
        read(feed)


def test_passing_trouble_does_not(client, feed):
    client.given = [FakeMessage(None, None, None, KafkaError._ALL_BROKERS_DOWN), FakeMessage(0, 10)]
    assert read(feed) == {0: (11, [10])}


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "read topic labelled"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "NIFOS_COUNTERS__GROUP_ID"),
    ],
)
def test_a_user_who_may_not_read_is_told_so(client, feed, code, sentence):
    client.given = [FakeMessage(None, None, None, code)]
    with pytest.raises(UserError, match=sentence):
        read(feed)


def test_a_killed_worker_gives_its_partitions_up_within_seconds_unless_the_settings_say_otherwise():
    def properties(**given):
        settings = Settings(kafka=KafkaSettings(consumer_properties=given))
        return consumer_properties(settings, "group")

    assert properties()["session.timeout.ms"] == 10_000
    assert properties(**{"session.timeout.ms": 45_000})["session.timeout.ms"] == 45_000
    # There the broker says when, and the client does not start with either.
    newer = properties(**{"group.protocol": "consumer"})
    assert not {"session.timeout.ms", "heartbeat.interval.ms"} & newer.keys()
