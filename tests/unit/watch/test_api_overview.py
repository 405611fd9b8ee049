"""All that the page shows of one question, in one answer."""

import json

from nifos_stream.errors import UserError
from nifos_stream.watch.api.overview import OverviewQuestion, Overviews
from nifos_stream.watch.snapshot import SLOW_SECONDS, Watcher
from tests.unit.watch.made_counts import KEYWORDS, SOURCES, MadeCounts


class WithoutPair(MadeCounts):
    """Sources and channels are not counted together."""

    def window(self, window="1h", *, by=None, where=None, **rest):
        if {by, *(where or {})} >= {"source", "channel"}:
            raise UserError("Posts are not counted by channel and source together.")
        return super().window(window, by=by, where=where, **rest)


def overview(counts, *where):
    """The answer once every trend has been read, which happens a few at a time."""
    overviews = Overviews(counts)
    for _ in range(3):
        said = json.loads(overviews.written(OverviewQuestion("1h", where=where)))
    return said


def test_an_overview_has_the_window_the_one_before_and_groups_with_their_trends():
    said = overview(MadeCounts())
    assert said["window"]["behind_seconds"] == 1.23
    assert said["window"]["from"] == said["before"]["to"]
    assert list(said["by"]) == ["source", "keyword", "channel"]
    assert set(said["by"]["source"]["groups"]) == set(SOURCES)
    for group in said["by"]["keyword"]["groups"].values():
        assert group["total"] == group["negative"] + group["neutral"] + group["positive"]
        assert 0 < len(group["trend"]) <= 24
    assert said["all_time"] == 48_123 + 9_480 + 81_002


def test_a_filter_holds_for_everything_but_the_table_that_it_was_chosen_from():
    counts = MadeCounts()
    overview(counts, ("source", "twitter"))
    asked = {(window, by): where for window, by, where, start in counts.asked if start is None and by}
    assert asked == {
        ("1h", "source"): (),
        ("1h", "keyword"): (("source", "twitter"),),
        ("1h", "channel"): (("source", "twitter"),),
    }
    assert ("1m", None, (("source", "twitter"),), None) in counts.asked
    trends = {where for window, by, where, _ in counts.asked if (window, by) == ("1h", None)}
    assert {
        (("source", "twitter"),),
        (("source", "daum"),),
        (("source", "twitter"), ("keyword", "산불")),
    } <= trends


def test_what_is_not_counted_together_is_left_out():
    said = overview(WithoutPair(), ("channel", "sns"))
    assert list(said["by"]) == ["keyword", "channel"]
    assert set(said["by"]["keyword"]["groups"]) == set(KEYWORDS)


def test_what_changes_slowly_is_read_once_for_equal_questions():
    counts = MadeCounts()
    overviews = Overviews(counts)
    for _ in range(3):
        overviews.written(OverviewQuestion("1h"))
    first = len(counts.asked)
    overviews.written(OverviewQuestion("1h"))
    assert len(counts.asked) - first == 5  # The window, three groupings, the last minute.


def test_a_stated_stretch_stands_instead_of_the_window():
    counts = MadeCounts()
    given = Watcher(counts, "1h", start=counts.window().start, end=counts.window().end).snapshot()
    assert given.window.start == counts.window().start
    assert given.before.end == given.window.start


def test_a_few_trends_are_read_at_a_time_the_oldest_first():
    counts, clock = MadeCounts(), [0.0]
    watcher = Watcher(counts, trends_at_once=3, window="1h", rows=2, monotonic=lambda: clock[0])
    assert [list(some) for some in watcher.snapshot().trends.values()] == [list(SOURCES[:2]), [KEYWORDS[0]]]
    clock[0] += SLOW_SECONDS
    assert [list(some) for some in watcher.snapshot().trends.values()] == [
        list(SOURCES[:2]),
        list(KEYWORDS[:2]),
    ]
