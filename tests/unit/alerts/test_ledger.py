"""What stands beside the group's offset comes back as it was written, whoever wrote it."""

import json

import pytest

from nifos_stream.alerts.ledger import Mark, read_mark, written_mark


@pytest.mark.parametrize("mark", [Mark(), Mark(None, 3), Mark(1_767_225_600, 7), Mark(120, 1, (60, 120))])
def test_a_mark_comes_back(mark):
    assert read_mark(written_mark(mark)) == mark


def test_a_mark_of_before_there_were_turns_is_read():
    assert read_mark(json.dumps({"evaluated_to": 120})) == Mark(120, 0)


@pytest.mark.parametrize("metadata", [None, "", "word", "[]", "5", "{}", '{"evaluated_to": "x"}'])
def test_what_somebody_else_wrote_says_nothing(metadata):
    assert read_mark(metadata) == Mark()
