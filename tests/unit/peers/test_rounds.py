"""All run in turn; medians, ratios and problems come out of what each run said."""

import json

from nifos_stream.errors import NifosError
from tests.peers.comparison import Said
from tests.peers.contenders import OURS, contenders
from tests.peers.drive import Outcome
from tests.peers.rounds import report, run_rounds

ROWS = contenders(["fp32"], [OURS, "confluent-kafka"])
SAID = [Said("a", "positive", 0.5), Said("b", "negative", 0.5)]


def silent(_sentence):
    pass


def test_each_round_begins_with_another_contender():
    order = []

    def drive(row):
        order.append(row.name)
        return Outcome(1.0, SAID)

    run_rounds(ROWS, 2, 2, drive, silent)
    assert order == [OURS, "confluent-kafka", "confluent-kafka", OURS]


def test_the_table_says_how_many_times_as_fast_we_are():
    seconds = {OURS: iter((0.5, 1.0, 0.1)), "confluent-kafka": iter((2.0, 3.0, 2.0))}
    found = run_rounds(ROWS, 3, 2, lambda row: Outcome(next(seconds[row.name]), SAID), silent)
    made = report(found, "title", {"posts": 2})
    ours, peer = made.facts["contenders"]
    assert (ours["posts_per_s"], peer["posts_per_s"]) == (4.0, 1.0)
    assert peer["ours_to_this"] == {"fp32": 4.0}
    assert made.facts["problems"] == []
    assert made.facts["bench"] == "peers"
    assert made.notes[-1].startswith("Too short: a round took 0.5 s"), "two posts tell nothing of the fastest"
    json.dumps(made.facts)
    assert len({len(row) for row in [made.columns, *made.rows]}) == 1


def test_a_contender_that_fails_is_left_out_and_named():
    def drive(row):
        if row.name == "confluent-kafka":
            raise NifosError("It ended by itself.")
        return Outcome(1.0, SAID)

    found = run_rounds(ROWS, 2, 2, drive, silent)
    assert found.problems == ["confluent-kafka fp32: It ended by itself."]
    assert [row.name for row in found.rates] == [OURS]
    assert len(found.rates[ROWS[0]]) == 2


def test_whoever_labels_otherwise_is_named_once_for_all_rounds():
    other = [Said("a", "negative", 0.5), SAID[1]]
    found = run_rounds(ROWS, 2, 2, lambda row: Outcome(1.0, SAID if row.name == OURS else other), silent)
    assert found.problems == ["confluent-kafka fp32: 1 clear posts got another label, such as a."]
    assert found.same[ROWS[1]] == 0.5


def test_after_an_interrupt_what_was_found_is_reported():
    def drive(row):
        if row.name == "confluent-kafka":
            raise KeyboardInterrupt
        return Outcome(1.0, SAID)

    found = run_rounds(ROWS, 3, 2, drive, silent)
    assert found.problems == ["interrupted in round 1 of 3: confluent-kafka fp32"]
    assert [row["name"] for row in report(found, "title", {"posts": 2}).facts["contenders"]] == [OURS]
