import threading
import time

import pytest
from confluent_kafka import Consumer

from nifos_stream.errors import NifosError
from nifos_stream.stream.ownership import Ownership, generation_of
from tests.unit.stream.fakes import metadata


@pytest.fixture
def ownership(clock):
    owned = Ownership(handover_seconds=10, now=clock)
    owned.assigned([0, 1], metadata(1))
    return owned


def test_group_metadata_of_the_installed_library_are_understood():
    """Outside a group the generation is negative; the broker would let such a commit pass unchecked."""
    consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0})
    assert generation_of(consumer.consumer_group_metadata()) == -1
    consumer.close()


def test_group_metadata_of_an_unknown_form_are_refused():
    with pytest.raises(NifosError, match="not known"):
        generation_of(b"CGMDv9:....")


def test_a_batch_is_published_under_the_metadata_of_its_claims(ownership):
    lease = ownership.lend(ownership.claims())
    assert lease.partitions == {0, 1}
    assert lease.group_metadata == metadata(1)
    assert ownership.may_commit(lease)


def test_newer_metadata_are_used_while_the_partitions_stay(ownership):
    """In the newer protocols the generation moves on without a callback."""
    ownership.member(metadata(2))
    assert ownership.lend(ownership.claims()).group_metadata == metadata(2)


def test_nothing_is_committed_from_outside_the_group(ownership):
    ownership.member(metadata(-1))
    lease = ownership.lend(ownership.claims())
    assert not ownership.may_commit(lease)


def test_only_what_is_still_owned_is_published(ownership):
    claims = ownership.claims()
    ownership.revoked([0])
    assert ownership.lend(claims).partitions == {1}
    ownership.lost([1])
    assert ownership.lend(claims) is None
    assert not ownership.holds_any(claims)


def test_a_partition_that_came_back_is_another_claim(ownership):
    """Its rows will be read again from the committed offset, so the old ones must not be published."""
    claims = ownership.claims()
    ownership.revoked([0, 1])
    ownership.assigned([0, 1], metadata(3))
    assert ownership.lend(claims) is None
    assert ownership.lend(ownership.claims()).partitions == {0, 1}


def test_a_lost_partition_means_abort(ownership):
    lease = ownership.lend(ownership.claims())
    ownership.lost([1])
    assert not ownership.may_commit(lease)


def test_losing_other_partitions_leaves_the_batch_alone(ownership):
    claims = ownership.claims()
    lease = ownership.lend({0: claims[0]})
    ownership.lost([1])
    assert ownership.may_commit(lease)


def test_a_revocation_waits_for_the_batch_in_hand():
    """It may commit meanwhile, and the callback returns as soon as it has."""
    ownership = Ownership(handover_seconds=30)
    ownership.assigned([0], metadata())
    lease = ownership.lend(ownership.claims())
    callback = threading.Thread(target=ownership.revoked, args=([0],))
    callback.start()
    time.sleep(0.05)
    assert callback.is_alive()
    assert ownership.may_commit(lease)
    ownership.give_back(lease, {0: 5})
    callback.join(5)
    assert not callback.is_alive()
    assert ownership.committed() == {}


def test_a_revocation_does_not_wait_for_ever():
    ownership = Ownership(handover_seconds=0.05)
    ownership.assigned([0], metadata())
    lease = ownership.lend(ownership.claims())
    served = []
    ownership.revoked([0], meanwhile=lambda: served.append(1))
    assert served, "what the publishing thread needs of this one is done while it waits"
    assert not ownership.may_commit(lease)


def test_a_revocation_with_nothing_in_hand_returns_at_once(ownership):
    ownership.revoked([0, 1])
    assert ownership.claims() == {}


def test_what_was_committed_is_known(ownership):
    ownership.learn_committed({0: 3, 1: 4, 7: 9})
    ownership.give_back(ownership.lend(ownership.claims()), {0: 5})
    ownership.learn_committed({0: 1})
    assert ownership.committed() == {0: 5, 1: 4}
    ownership.give_back(ownership.lend(ownership.claims()))
    assert ownership.committed() == {0: 5, 1: 4}


def test_a_stop_gives_the_batch_in_hand_some_time(ownership, clock):
    lease = ownership.lend(ownership.claims())
    ownership.close(clock() + 5)
    assert ownership.may_commit(lease)
    clock.seconds += 5
    assert not ownership.may_commit(lease)
    ownership.give_back(lease)
    assert ownership.lend(ownership.claims()) is None
