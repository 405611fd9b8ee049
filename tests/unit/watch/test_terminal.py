"""The live screen, without Redis."""

import dataclasses
import datetime as dt
import io
import json
import time

import pytest
from rich.cells import cell_len
from rich.console import Console

from nifos_stream.counters.reader import RedisAway
from nifos_stream.counters.shapes import Count, Freshness
from nifos_stream.errors import UserError
from nifos_stream.watch.api.overview import OverviewQuestion, Overviews
from nifos_stream.watch.screen import View, draw
from nifos_stream.watch.snapshot import Watcher
from nifos_stream.watch.terminal import Held, Refresher
from tests.unit.alerts.made import made_alert
from tests.unit.watch.made_counts import LEVEL, NOW, MadeCounts

READ_AT = dt.datetime(2026, 5, 1, 0, 30, tzinfo=dt.UTC)


def snapshot(counts=None, window="1h"):
    return Watcher(counts or MadeCounts(), window, now=lambda: READ_AT).snapshot()


def screen(view):
    return "\n".join(line.plain for line in draw(view, READ_AT + dt.timedelta(seconds=90)).lines)


def printed(view):
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="truecolor", width=view.cells, height=view.rows
    )
    console.print(draw(view, READ_AT + dt.timedelta(seconds=90)), end="")
    return out.getvalue()


def test_the_screen_shows_shares_the_window_before_groups_and_freshness():
    shown = screen(View(snapshot(), 100))
    assert " 1h  05-01 08:30 – 09:30" in shown
    assert "Counts are 1.2 s behind. 312 posts wait to be labelled." in shown
    for part in (
        "− 부정",
        "· 중립",
        "+ 긍정",
        "was",
        "a minute now",
        "net ",
        "by source",
        "naver_blog",
    ):
        assert part in shown
    assert "by keyword" in shown
    assert "산불" in shown
    assert "all 138,605 posts" in shown
    assert "since 2026-04-01 08:00" in shown


def test_a_window_of_another_year_is_shown_with_its_years():
    window = MadeCounts().window(start=NOW.replace(year=2024), end=NOW)
    shown = screen(View(dataclasses.replace(snapshot(window="800d"), window=window), 100))
    assert " 800d  2024-05-01 09:30 – 2026-05-01 09:30" in shown


@pytest.mark.parametrize("cells", [60, 80, 100, 129, 130, 200])
@pytest.mark.parametrize("rows", [12, 24, 50])
@pytest.mark.parametrize("alerts", [0, 1, 9])
@pytest.mark.parametrize("scale", [100, 0])
def test_the_screen_fits_its_terminal(cells, rows, alerts, scale):
    view = View(snapshot(MadeCounts(scale=scale)), cells, rows, [made_alert()] * alerts, keys=True)
    assert len(printed(view).split("\n")) <= rows + 1
    lines = screen(view).split("\n")
    assert len(lines) <= rows
    assert max(map(cell_len, lines)) <= cells
    assert lines[-1].startswith("keys") or rows < 24


def test_a_small_terminal_shows_as_many_rows_as_it_can_and_both_tables():
    shown = screen(View(snapshot(), 80, 24, keys=True))
    assert "by source" in shown
    assert "by keyword" in shown
    assert len(shown.split("\n")) >= 22


@pytest.mark.parametrize("cells", range(30, 100))
def test_no_number_is_cut(cells):
    words = set(screen(View(snapshot(), 200)).split())
    lines = screen(View(snapshot(), cells)).split("\n")
    said = [line for line in lines if line.startswith(("all ", "5,593 "))]
    assert len(said) == 2
    assert set(" ".join(said).split()) <= words


def test_open_alerts_stand_above_the_tables_and_more_than_three_are_counted():
    alerts = [made_alert(number) for number in (5, 4, 3, 2, 1)]
    lines = screen(View(snapshot(), 100, 30, alerts)).split("\n")
    first = "! 05-01 09:35  Source twitter: 63 negative posts in 5 min, usually 21.0 (3.0 times)."
    at = lines.index(first)
    assert lines[at + 2].startswith("! 05-01 09:33  ")
    assert lines[at + 3] == "  and 2 more alerts are open: nifos-stream alerts list"
    assert lines[at + 5].startswith("by source")
    assert "alert" not in screen(View(snapshot(), 100, 30))


def test_few_rows_say_how_many_alerts_are_open():
    assert "! 1 alert is open: nifos-stream alerts list" in screen(View(snapshot(), 80, 14, [made_alert()]))


def test_an_alert_does_not_steer_the_terminal():
    assert "\x1b[2J" not in printed(View(snapshot(), 100, alerts=[made_alert(summary="\x1b[2J조용함")]))


def test_numbers_are_in_colour_while_they_are_current():
    assert "\x1b[1;38;2;224;108;0m− 부정" in printed(View(snapshot(), 80))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(snapshot(), 120, away="Redis is away."), "Redis is away. Numbers of 90 s ago."),
        (
            View(snapshot(MadeCounts(Freshness(41, 95.0, 0, LEVEL.counted_since, None))), 120),
            "Counts are 41 events behind, and were last level 95 s ago.",
        ),
        (
            View(snapshot(MadeCounts(Freshness(0, 111.0, 0, LEVEL.counted_since, None))), 120),
            "All was counted 111 s ago; no worker has reported since.",
        ),
        (
            View(snapshot(MadeCounts(Freshness(0, None, None, LEVEL.counted_since, None))), 120),
            "It is not known how far behind the counts are.",
        ),
        (
            View(snapshot(MadeCounts(Freshness(900, 3.0, None, LEVEL.counted_since, 0.42))), 120),
            "Rebuilding, 42% done.",
        ),
    ],
)
def test_old_numbers_are_grey_and_say_so(view, said):
    assert said in screen(view)
    assert "224;108;0" not in printed(view)


def test_an_empty_system_says_what_to_do():
    counts = MadeCounts(Freshness(0, None, None, None, None), scale=0)
    shown = " ".join(screen(View(snapshot(counts), 60)).split())
    assert "Nothing has been counted yet: nifos-stream produce FILE sends posts, nifos-stream worker" in shown
    assert "labels and counts them." in shown


def test_an_empty_window_says_so():
    counts = MadeCounts(scale=0)
    given = snapshot(counts)
    given = dataclasses.replace(given, all_time=dataclasses.replace(given.all_time, total=Count(1, 2, 3)))
    shown = screen(View(given, 100))
    assert "No posts were written in the last 1h." in shown
    assert "all 6 posts" in shown


def test_names_that_strangers_made_up_do_not_steer_the_terminal():
    given = snapshot()
    odd = dataclasses.replace(given.window, by="source", groups={"\x1b[2J[red]x": Count(1, 1, 1)})
    given = dataclasses.replace(given, groups={"source": odd})
    assert "\x1b[2J" not in printed(View(given, 100))
    assert "[2J[red]x" in screen(View(given, 100))


def test_a_screen_is_one_read():
    counts = MadeCounts()
    watcher = Watcher(counts, "1h", rows=2)
    watcher.snapshot()
    first = counts.reads
    watcher.snapshot()
    assert counts.reads - first == 1


def test_the_screen_says_the_rate_that_the_page_says():
    given = snapshot()
    said = json.loads(Overviews(MadeCounts()).written(OverviewQuestion("1h")))
    assert f"{said['per_minute']:,.0f} a minute now" in screen(View(given, 100))


def test_the_window_before_ends_where_the_window_begins():
    counts = MadeCounts()
    given = snapshot(counts)
    assert given.before.end == given.window.start == NOW - dt.timedelta(hours=1)


def test_what_is_not_counted_is_not_shown():
    class WithoutKeywords(MadeCounts):
        def window(self, window="1h", *, by=None, **rest):
            if by == "keyword":
                raise UserError("Posts are not counted by keyword.")
            return super().window(window, by=by, **rest)

    assert "by keyword" not in screen(View(snapshot(WithoutKeywords()), 100))


def test_when_redis_goes_away_the_last_numbers_stay_and_come_back():
    counts = MadeCounts()
    refresher = Refresher(Watcher(counts, "1h"), alerts=lambda: [made_alert()], refresh_seconds=0.01)
    first = refresher.held
    counts.raises = RedisAway("Redis did not answer.")
    refresher.start()
    try:
        eventually(lambda: refresher.held.away == "Redis is away.")
        assert refresher.held.snapshot is first.snapshot
        assert refresher.held.alerts is first.alerts
        counts.raises = None
        eventually(lambda: refresher.held.away is None)
        refresher.show_window("5m")
        eventually(lambda: refresher.held.snapshot.asked == "5m")
    finally:
        refresher.stop()


def test_numbers_grow_old_while_redis_does_not_answer():
    held = Held(snapshot(), [])
    assert held.view(READ_AT + dt.timedelta(seconds=3), 100).away is None
    late = READ_AT + dt.timedelta(seconds=9)
    lines = draw(held.view(late, 100), late).lines
    assert lines[0].plain.endswith("Redis does not answer. Numbers of 9.0 s ago.")


def eventually(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
