"""All that the page shows of one question, in one answer."""

import dataclasses
import datetime as dt
import json

import pytest

from nifos_stream.errors import UserError
from nifos_stream.watch.api.overview import OverviewQuestion, Overviews
from nifos_stream.watch.snapshot import Watcher
from tests.unit.watch.made_counts import KEYWORDS, NOW, SOURCES, MadeCounts


class WithoutPair(MadeCounts):
    """Sources and channels are not counted together."""

    def window(self, window="1h", *, by=None, where=None, **rest):
        if {by, *(where or {})} >= {"source", "channel"}:
            raise UserError("Posts are not counted by channel and source together.")
        return super().window(window, by=by, where=where, **rest)


def overview(counts, *where):
    return json.loads(Overviews(counts).written(OverviewQuestion("1h", where=where)))


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


def test_what_is_not_counted_together_is_left_out():
    said = overview(WithoutPair(), ("channel", "sns"))
    assert list(said["by"]) == ["keyword", "channel"]
    assert set(said["by"]["keyword"]["groups"]) == set(KEYWORDS)


def test_one_answer_is_one_read_and_only_the_first_takes_two_to_know_the_largest_values():
    counts = MadeCounts()
    overviews = Overviews(counts)
    overviews.written(OverviewQuestion("1h"))
    assert counts.reads == 2
    for _ in range(3):
        overviews.written(OverviewQuestion("1h"))
    assert counts.reads == 5


def test_posts_per_minute_are_those_of_the_time_that_has_passed():
    """Seventy seconds of buckets, of which the last has just ended, are no minute."""
    counts = MadeCounts()
    said = overview(counts)
    posts = counts.window("1m", where={}).total.total
    assert said["per_minute"] == pytest.approx(posts * 60 / 70, abs=0.001)
    assert said["seconds"] == 3600


def test_a_bucket_that_has_only_begun_counts_for_the_seconds_it_has_lasted():
    now = NOW - dt.timedelta(seconds=4)

    class Early(MadeCounts):
        def together(self, asks):
            return dataclasses.replace(super().together(asks), at=now)

    given = Watcher(Early(), "1h").snapshot()
    assert given.per_minute == pytest.approx(given.minute.total.total * 60 / 66)
    assert given.seconds == 3596


def test_a_stated_stretch_stands_instead_of_the_window():
    counts = MadeCounts()
    given = Watcher(counts, "1h", start=counts.window().start, end=counts.window().end).snapshot()
    assert given.window.start == counts.window().start
    assert given.before.end == given.window.start


def test_the_largest_values_have_trends():
    watcher = Watcher(MadeCounts(), window="1h", rows=2)
    trends = [list(group.trends) for group in watcher.snapshot().groups.values()]
    assert trends == [list(SOURCES[:2]), list(KEYWORDS[:2])]
