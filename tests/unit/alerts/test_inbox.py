"""Whatever a group does meanwhile, each record is told of before it is committed, and none is left paused."""

from collections import deque
from dataclasses import dataclass

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from nifos_stream.alerts.webhook import WebhookStage
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.metrics import Metrics
from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import Webhook
from tests.unit.alerts.made import made_alert

TOPIC = "nifos.alerts"


@dataclass(frozen=True)
class FakeMessage:
    at_partition: int | None = None
    at_offset: int | None = None
    written: bytes | None = None
    trouble: KafkaError | None = None

    def partition(self):
        return self.at_partition

    def offset(self):
        return self.at_offset

    def value(self):
        return self.written

    def error(self):
        return self.trouble


class FakeConsumer:
    """A member of a group; what it paused stays so while it does not have it, as with librdkafka."""

    def __init__(self, partitions):
        self.logs = {partition: [] for partition in range(partitions)}
        self.committed_offsets = {}
        self.positions = {}
        self.paused = set()
        self.waiting = deque()

    def subscribe(self, _topics, on_assign, on_revoke, on_lost):
        self.callbacks = {"assign": on_assign, "revoke": on_revoke, "lost": on_lost}

    def publish(self, partition, *values):
        self.logs[partition] += values

    def group(self, what, *partitions):
        """What the group says at the next poll."""
        self.waiting.append((what, partitions))

    def poll(self, _seconds):
        while self.waiting:
            what, partitions = self.waiting.popleft()
            if isinstance(what, KafkaError):
                return FakeMessage(trouble=what)
            if what != "assign":
                self.positions = {p: at for p, at in self.positions.items() if p not in partitions}
            self.callbacks[what](self, [TopicPartition(TOPIC, partition) for partition in partitions])
        for partition, position in self.positions.items():
            if partition not in self.paused and position < len(self.logs[partition]):
                self.positions[partition] = position + 1
                return FakeMessage(partition, position, self.logs[partition][position])
        return None

    def committed(self, places, **_):
        return [
            TopicPartition(TOPIC, each.partition, self.committed_offsets.get(each.partition, -1001))
            for each in places
        ]

    def get_watermark_offsets(self, place, **_):
        return 0, len(self.logs[place.partition])

    def incremental_assign(self, places):
        self.positions |= {place.partition: place.offset for place in places}

    def assignment(self):
        return [TopicPartition(TOPIC, partition) for partition in self.positions]

    def pause(self, places):
        self.paused |= {place.partition for place in places}

    def resume(self, places):
        self.paused -= {place.partition for place in places}

    def commit(self, offsets, **_):
        for place in offsets:
            if self.committed_offsets.get(place.partition, 0) < place.offset:
                self.committed_offsets[place.partition] = place.offset


class World:
    """A webhook that is down until it is up, its stage, and what it was told."""

    def __init__(self, partitions=1, begun=True, **webhook):
        self.consumer = FakeConsumer(partitions)
        if begun:
            self.consumer.committed_offsets = dict.fromkeys(range(partitions), 0)
        self.seconds = 0.0
        self.is_up = False
        self.told = []
        properties = {"partition.assignment.strategy": "cooperative-sticky"}
        hook = Webhook(url="http://127.0.0.1:9/", **webhook)
        settings = Settings(kafka={"consumer_properties": properties})
        self.stage = WebhookStage(settings, hook, Metrics(), now=lambda: self.seconds)
        self.inbox = self.stage.inbox(self.consumer)
        self.consumer.group("assign", *range(partitions))

    def send(self, parcel):
        """In the place of a Sender."""
        if self.is_up:
            self.told.append(parcel)
        parcel.next_try_at = self.seconds + 1
        return "delivered" if self.is_up else "retried"

    def rounds(self, count=5):
        for _ in range(count):
            self.seconds += 1
            self.stage.round(self.inbox, self)

    def come_up(self):
        self.is_up = True
        self.rounds()

    def alerts(self):
        """Numbers of the alerts that were told, each time that they were."""
        numbers = range(1, 30)
        written = {f"{number:016x}": number for number in numbers}
        return [
            number
            for parcel in self.told
            for name, number in written.items()
            for _ in range(parcel.body.decode().count(f'"id": "{name}"'))
        ]


def alert(number, **changes):
    return made_alert(number, **changes).model_dump_json().encode()


def test_what_came_is_told_once_and_then_committed():
    world = World()
    world.consumer.publish(0, alert(1), alert(2))
    world.rounds()
    assert world.consumer.committed_offsets == {0: 0}
    world.come_up()
    world.consumer.publish(0, alert(3))
    world.rounds()
    assert world.alerts() == [1, 2, 3]
    assert world.consumer.committed_offsets == {0: 3}
    assert world.told[0].delivery == "0:2"


@pytest.mark.parametrize("away", [0, 1, 3])
def test_a_partition_that_goes_and_comes_back_while_a_message_waits_is_read_again(away):
    world = World()
    world.consumer.publish(0, alert(1), alert(2))
    world.rounds()
    assert world.consumer.paused == {0}
    world.consumer.group("revoke", 0)
    world.rounds(away)
    world.consumer.group("assign", 0)
    world.rounds()
    world.consumer.publish(0, alert(3))
    world.come_up()
    assert set(world.alerts()) == {1, 2, 3}
    assert world.consumer.committed_offsets == {0: 3}


def test_another_member_may_have_told_what_it_had_meanwhile():
    world = World()
    world.consumer.publish(0, alert(1))
    world.rounds()
    world.consumer.group("lost", 0)
    world.rounds()
    world.consumer.committed_offsets[0] = 1
    world.consumer.publish(0, alert(2))
    world.consumer.group("assign", 0)
    world.rounds()
    world.come_up()
    assert world.alerts() == [2]


def test_of_a_message_whose_part_goes_the_rest_is_told():
    world = World(partitions=2)
    world.consumer.publish(0, alert(1))
    world.consumer.publish(1, alert(2))
    world.rounds()
    world.consumer.group("revoke", 1)
    world.rounds()
    world.come_up()
    assert world.alerts() == [1]
    assert world.consumer.committed_offsets == {0: 1, 1: 0}


def test_a_record_of_a_partition_that_comes_while_a_message_waits_is_told_after_it():
    """It comes before anything could be paused, and nothing of it may be committed before it is told."""
    world = World(partitions=2)
    world.consumer.group("revoke", 1)
    world.consumer.publish(0, alert(1))
    world.rounds()
    world.consumer.publish(1, alert(2), alert(3), alert(4))
    world.consumer.group("assign", 1)
    world.rounds(1)
    assert [record.offset for record in world.inbox.records if record.partition == 1] == [0]
    world.rounds()
    assert world.consumer.paused == {0, 1}
    assert len(world.inbox.records) == 2
    world.is_up = True
    world.rounds(1)
    assert world.alerts() == [1]
    assert world.consumer.committed_offsets == {0: 1, 1: 0}
    world.rounds()
    assert world.alerts() == [1, 2, 3, 4]
    assert world.consumer.committed_offsets == {0: 1, 1: 3}
    assert world.inbox.records == []


def test_what_nobody_wants_is_gone_behind_without_a_word():
    world = World(ended=False)
    world.consumer.publish(0, b"no alert", alert(1, ended=True), b"")
    world.rounds()
    assert world.consumer.committed_offsets == {0: 3}
    world.consumer.publish(0, b"no alert", alert(2))
    world.come_up()
    assert world.alerts() == [2]
    assert world.consumer.committed_offsets == {0: 5}


def test_a_group_that_is_new_begins_here_and_one_that_is_not_never_skips():
    world = World(begun=False)
    world.consumer.publish(0, alert(1))
    world.rounds()
    assert world.consumer.committed_offsets == {0: 1}
    world.consumer.publish(0, alert(2))
    world.consumer.group("revoke", 0)
    world.consumer.group("assign", 0)
    world.come_up()
    assert world.alerts() == [2]


def test_where_kafka_does_not_say_where_the_group_stands_nothing_is_committed():
    world = World(begun=False)
    world.consumer.publish(0, alert(1))

    def committed(*_, **__):
        raise KafkaException(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE))

    world.consumer.committed = committed
    world.rounds()
    assert world.consumer.committed_offsets == {}


@pytest.mark.parametrize(
    ("code", "raised"),
    [(KafkaError.GROUP_AUTHORIZATION_FAILED, UserError), (KafkaError._FATAL, BrokerUnavailable)],
)
def test_a_client_that_cannot_go_on_ends_the_stage(code, raised):
    world = World()
    world.consumer.group(KafkaError(code, "no", fatal=code == KafkaError._FATAL))
    with pytest.raises(raised):
        world.rounds()


def test_other_troubles_of_the_client_mend_themselves():
    world = World()
    world.consumer.group(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    world.consumer.publish(0, alert(1))
    world.come_up()
    assert world.alerts() == [1]
