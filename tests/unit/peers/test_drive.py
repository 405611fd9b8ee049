"""A program is followed by what it prints, and its end is not missed."""

import sys

import pytest

from nifos_stream.errors import NifosError
from tests.peers.drive import Program, _is_assigned, _running


def follow(tmp_path, source, starts=lambda line: line.strip() == "begun"):
    return _running([sys.executable, "-c", source], {}, tmp_path, starts)


def wait_for_end(program: Program):
    program._process.wait(20)
    program._thread.join(20)


def test_a_program_that_ends_by_itself_is_told_with_its_last_words(tmp_path):
    with follow(tmp_path, "print('begun'); raise SystemExit('no broker')") as program:
        wait_for_end(program)
        with pytest.raises(NifosError, match=r"(?s)ended by itself.*no broker"):
            program.check()
        assert program.started_at() > 0


def test_without_its_sign_a_program_has_no_rate(tmp_path):
    with follow(tmp_path, "print('loading')") as program:
        wait_for_end(program)
        with pytest.raises(NifosError, match="never said that it had begun"):
            program.started_at()


def test_the_worker_begins_when_it_is_assigned_posts_and_not_events_to_count():
    assert _is_assigned('{"component": "stream.source", "event": "partitions.assigned", "partitions": [0]}')
    assert not _is_assigned('{"component": "counters.feed", "event": "partitions.assigned"}')
    assert not _is_assigned("Loading weights: 100%")
    assert not _is_assigned("3")
