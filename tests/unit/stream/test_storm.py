from nifos_stream.stream.storm import Storm


def storm(*, accept_bad=False):
    return Storm(ratio=0.9, window=100, accept_bad=accept_bad)


def test_nearly_nothing_but_bad_messages_is_a_storm():
    seen = storm()
    seen.count([True] * 95 + [False] * 5)
    assert seen.active
    assert seen.share == 0.95


def test_a_storm_is_seen_across_batches():
    seen = storm()
    for _ in range(9):
        seen.count([True] * 10)
        assert not seen.active
    seen.count([True] * 10)
    assert seen.active


def test_a_window_that_is_not_full_is_no_storm():
    seen = storm()
    seen.count([True] * 99)
    assert not seen.active


def test_exactly_the_ratio_is_no_storm():
    seen = storm()
    seen.count([True] * 90 + [False] * 10)
    assert not seen.active


def test_only_the_last_messages_count():
    seen = storm()
    seen.count([False] * 1000)
    assert seen.share == 0
    seen.count([True] * 90)
    assert not seen.active
    seen.count([True])
    assert seen.active


def test_a_storm_does_not_end_by_itself():
    seen = storm()
    seen.count([True] * 100 + [False] * 100)
    assert seen.active


def test_a_person_may_let_them_through():
    seen = storm(accept_bad=True)
    seen.count([True] * 1000)
    assert not seen.active
