from nifos_stream.stream.trimming import Trimming


def test_a_gap_before_the_start_of_the_log_was_lost():
    trimming = Trimming()
    trimming.skipped(0, 10, 50)
    trimming.asking()
    assert trimming.settle({0: 50}) == {0: 40}
    assert trimming.settle({0: 50}) == {}


def test_markers_are_not_lost_posts():
    trimming = Trimming()
    trimming.skipped(0, 10, 11)
    trimming.asking()
    assert trimming.settle({0: 0}) == {}


def test_only_what_lies_before_the_start_was_lost():
    trimming = Trimming()
    trimming.skipped(0, 10, 50)
    trimming.asking()
    assert trimming.settle({0: 30}) == {0: 20}


def test_an_answer_that_was_asked_for_before_says_nothing():
    """The start may have moved on between the question and the gap."""
    trimming = Trimming()
    trimming.asking()
    trimming.skipped(0, 10, 50)
    assert trimming.settle({0: 0}) == {}
    trimming.asking()
    assert trimming.settle({0: 50}) == {0: 40}


def test_gaps_of_other_partitions_wait_for_their_answer():
    trimming = Trimming()
    trimming.skipped(0, 0, 5)
    trimming.skipped(1, 0, 5)
    trimming.skipped(1, 8, 9)
    trimming.asking()
    assert trimming.settle({1: 9}) == {1: 6}
    assert trimming.settle({0: 5}) == {0: 5}


def test_a_partition_that_is_gone_is_its_next_owners_concern():
    trimming = Trimming()
    trimming.skipped(0, 0, 5)
    trimming.asking()
    trimming.drop({0})
    assert trimming.settle({0: 5}) == {}
