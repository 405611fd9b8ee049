"""`alerts test` says what the rules would have found in a file, and what is wrong with the file."""

import datetime as dt
import io
import json

import pytest
from rich.console import Console

from nifos_stream.commands import row_writer
from nifos_stream.commands.alerts import replay_rules, show_list, show_replay
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import SilenceRule, ThresholdRule
from tests.unit.alerts.made import SEOUL, made_alert

RULE = ThresholdRule(name="mostly", dimensions=("source",), above=0.5, window_minutes=10, min_posts=5)
SETTINGS = Settings(alerts={"rules": (RULE,)})


def rows(form="%Y-%m-%dT%H:%M"):
    """An hour of two sources, of which one turns negative for twenty minutes."""
    begin = dt.datetime(2026, 5, 1, 9, 0)  # noqa: DTZ001 - as people write it, without a zone
    for minute in range(60):
        moment = (begin + dt.timedelta(minutes=minute)).strftime(form)
        negative = 3 if 20 <= minute < 40 else 0
        yield f"{moment},twitter,{negative},1,0"
        yield f"{moment},naver_blog,0,1,1"


@pytest.fixture
def written(tmp_path):
    def write(lines, header="time,source,negative,neutral,positive"):
        path = tmp_path / "counts.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8-sig")
        return path

    return write


def test_a_file_of_counts_is_held_against_the_rules(written):
    replayed = replay_rules(SETTINGS, file=written(rows()))
    (alert,) = replayed.alerts
    assert (alert.dimension, alert.value, alert.rule) == ("source", "twitter", "mostly")
    assert alert.started_at == dt.datetime(2026, 5, 1, 9, 24, tzinfo=SEOUL)
    assert alert.ended_at == dt.datetime(2026, 5, 1, 9, 48, tzinfo=SEOUL)
    assert replayed.start == dt.datetime(2026, 5, 1, 9, 0, tzinfo=SEOUL)


def test_what_counts_wrote_is_read(tmp_path):
    path = tmp_path / "export.csv"
    names = ("start", "end", "source", "negative", "neutral", "positive", "total", "net_sentiment")
    with row_writer.open_rows(str(path), names) as write:
        for row in rows():
            start, source, *numbers = row.split(",")
            begin = dt.datetime.fromisoformat(start).replace(tzinfo=SEOUL)
            end = begin + dt.timedelta(minutes=1)
            write(dict(zip(names, (begin, end, source, *numbers, 1, 0.0), strict=True)))
    (alert,) = replay_rules(SETTINGS, file=path).alerts
    assert alert.value == "twitter"


def test_a_file_of_excel_with_korean_headers_is_read(tmp_path):
    path = tmp_path / "counts.csv"
    lines = [row.replace("twitter", "트위터") for row in rows("%Y.%m.%d %H:%M")]
    path.write_text("\n".join(["때,출처,부정,중립,긍정", *lines]) + "\n", encoding="cp949")
    (alert,) = replay_rules(SETTINGS, file=path, columns=["time=때"]).alerts
    assert alert.value == "트위터"
    assert alert.started_at == dt.datetime(2026, 5, 1, 9, 24, tzinfo=SEOUL)


def test_only_what_lies_between_two_times_is_looked_at(written):
    assert replay_rules(SETTINGS, file=written(rows()), start="2026-05-01T09:50").alerts == ()
    (alert,) = replay_rules(SETTINGS, file=written(rows()), end="2026-05-01T09:30").alerts
    assert alert.ended_at is None


def test_what_follows_the_last_post_is_looked_at_when_it_is_asked_for(written):
    silent = Settings(
        alerts={
            "rules": (SilenceRule(name="silent", values=("twitter",), min_expected=0, window_minutes=30),)
        }
    )
    assert replay_rules(silent, file=written(rows()), start="2026-05-01T09:35").alerts == ()
    replayed = replay_rules(silent, file=written(rows()), start="2026-05-01T09:35", end="2026-05-01T11:00")
    assert [alert.started_at for alert in replayed.alerts if alert.dimension == "source"] == [
        dt.datetime(2026, 5, 1, 10, 30, tzinfo=SEOUL)
    ]


def test_a_time_without_end_is_refused(written):
    with pytest.raises(UserError, match="at most 400 days"):
        replay_rules(SETTINGS, file=written(rows()), end="2099-01-01")


def shown(show, *arguments, **options):
    out = io.StringIO()
    show(*arguments, out=Console(file=out, width=100), **options)
    return out.getvalue()


def test_people_see_a_table_and_programs_one_line(written):
    replayed = replay_rules(SETTINGS, file=written(rows()))
    seen = shown(show_replay, replayed)
    assert "the negative share is" in seen
    assert seen.splitlines()[-1] == "1 alert from 2026-05-01 09:00 to 2026-05-01 10:00 KST, by mostly."
    line = shown(show_replay, replayed, as_json=True)
    assert line.count("\n") == 1
    assert json.loads(line)["alerts"][0]["value"] == "twitter"


def test_seconds_since_1970_are_times_too(written):
    replayed = replay_rules(SETTINGS, file=written(["1777593600,twitter,1,0,0"]))
    assert replayed.start == dt.datetime(2026, 5, 1, 9, 0, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        (["x"], "time,source,negative", "has no column neutral, positive"),
        (["soon,twitter,1,0,0"], "time,source,negative,neutral,positive", "line 2: 'soon' is not a date"),
        (
            ["2026-05-01,t,1,-2,0"],
            "time,source,negative,neutral,positive",
            "line 2: neutral: a count is negative",
        ),
        (
            ["2026-05-01,t,many,0,0"],
            "time,source,negative,neutral,positive",
            "line 2: negative: 'many' is not a number",
        ),
        ([], "time,source,negative,neutral,positive", "nothing to replay"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(written, lines, header, said):
    with pytest.raises(UserError, match=said):
        replay_rules(SETTINGS, file=written(lines, header))


def test_a_rule_that_is_not_there_is_named(written):
    with pytest.raises(UserError, match="no rule 'x'; the rules are mostly"):
        replay_rules(SETTINGS, file=written(rows()), names=["x"])


class MadeShelf:
    def __init__(self, *alerts):
        self._alerts = alerts

    def read(self, _state, limit):
        return list(self._alerts[:limit])

    def close(self):
        pass


@pytest.fixture
def listed(monkeypatch):
    def show(*alerts, **options):
        monkeypatch.setattr("nifos_stream.commands.alerts.shelf_of", lambda _: MadeShelf(*alerts))
        return shown(show_list, SETTINGS, "open", 50, **options)

    return show


def test_what_was_found_is_listed(listed):
    assert "63 negative posts" in listed(made_alert())
    assert json.loads(listed(made_alert(), as_json=True))["id"] == made_alert().id
    assert listed() == "No alert is open.\n"
