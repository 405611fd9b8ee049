"""The rows of the table: nifos-stream in every dtype, each peer its own way and with our classifier."""

from pathlib import Path

import pytest

from nifos_stream.errors import UserError
from tests.peers.contenders import AT_LEAST, EXACTLY, OURS, PEERS, command, contenders


def test_every_peer_runs_its_own_way_and_with_our_classifier():
    rows = contenders(["fp32"])
    names = [row.name for row in rows]
    assert names[:1] == [OURS]
    assert {peer.name for peer in PEERS} <= set(names)
    assert {f"{peer.name}+ours" for peer in PEERS if peer.plugged} <= set(names)
    assert len(names) == len(set(names))


def test_those_that_may_double_posts_are_marked():
    delivery = {row.name: row.delivery for row in contenders(["fp32"])}
    assert delivery["bytewax"] == delivery["sentry-arroyo+ours"] == AT_LEAST
    assert delivery[OURS] == delivery["quixstreams"] == delivery["confluent-kafka"] == EXACTLY


def test_a_library_that_knows_no_int8_runs_in_fp32():
    rows = contenders(["int8", "fp32", "int8"])
    assert {row.dtype for row in rows if row.labelling == "own"} == {"fp32"}
    assert {row.dtype for row in rows if row.name.endswith("+ours")} == {"int8"}
    assert [row.dtype for row in rows if row.name == OURS] == ["int8", "fp32"]


def test_rows_can_be_chosen_by_name():
    assert [row.name for row in contenders(["bf16"], ["bytewax+ours", OURS])] == [OURS, "bytewax+ours"]


def test_a_name_that_nobody_has_is_a_sentence():
    with pytest.raises(UserError, match="flink does not take part"):
        contenders(["fp32"], ["flink"])


def test_what_must_be_made_before_a_program_is_run_first():
    (bytewax,) = contenders(["fp32"], ["bytewax"])
    first, second = command(bytewax, Path("python"), Path("run"))
    assert first == ["python", "-m", "bytewax.recovery", "run", "1"]
    assert second[:4] == ["python", "-m", "bytewax.run", "tests.peers.apps.bytewax_flow"]
