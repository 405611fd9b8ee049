"""What stands beside the group's offset comes back as it was written, whoever wrote it."""

import json

import pytest

from nifos_stream.alerts.gaps import Gap
from nifos_stream.alerts.ledger import Ledger, Mark, read_mark, written_mark
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings


@pytest.mark.parametrize(
    "mark", [Mark(), Mark(None, 3), Mark(1_767_225_600, 7), Mark(120, 1, (Gap(60, 120, 1), Gap(240, 360, 2)))]
)
def test_a_mark_comes_back(mark):
    assert read_mark(written_mark(mark)) == mark


def test_a_mark_of_before_there_were_turns_is_read():
    assert read_mark(json.dumps({"evaluated_to": 120})) == Mark(120, 0)


@pytest.mark.parametrize(
    "metadata",
    [None, "", "word", "[]", "5", "{}", '{"evaluated_to": "x"}', '{"evaluated_to": 5, "gaps": [[1]]}'],
)
def test_what_somebody_else_wrote_says_nothing(metadata):
    assert read_mark(metadata) == Mark()


def test_settings_that_a_producer_does_not_take_are_said_in_a_sentence():
    ledger = Ledger(Settings(kafka={"producer_properties": {"compression.type": "wishful"}}))
    with pytest.raises(UserError, match=r"^The Kafka settings are not valid: .*wishful.*\.$"):
        ledger.take_over(0, lambda: False)
    ledger.close()
