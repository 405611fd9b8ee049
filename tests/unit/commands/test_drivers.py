import io
from contextlib import nullcontext

import pytest
from rich.console import Console

from nifos_stream.commands import drivers as commands
from nifos_stream.commands.drivers import Question, read, shown
from nifos_stream.counters.wanted import Filter
from nifos_stream.errors import UserError
from nifos_stream.messages import Label
from nifos_stream.settings import Settings
from nifos_stream.watch.analyst import Analyst, Asked
from tests.unit.watch.made_counts import NOW
from tests.unit.watch.test_drivers import Sampled, SplitAtSpaces, posts


def lines(*kept, cells=100, asked=None, value="", **sampled):
    found = Analyst(Sampled(*kept, **sampled), SplitAtSpaces).find(asked or Asked())
    return [line.plain for line in shown(found, cells, value)]


def test_the_words_are_a_table_that_says_what_it_rests_on():
    said = lines(*posts())
    assert said[0].startswith("2026-05-01 08:30:01 to 2026-05-01 09:30:01")
    assert said[1] == (
        "Rests on 20 negative posts, against 20 of the window before and 20 others of this window: all there"
        " are."
    )
    assert said[2].split() == ["word", "z", "posts", "before", "newest"]
    assert said[3].startswith("산사태")
    assert said[3].split()[2:] == [said[3].split()[2], "20", "0", "산사태", "길"]
    assert all(len(line) <= 100 for line in said[2:])


def test_posts_that_are_kept_no_more_are_counted_and_dated():
    assert lines(*posts(), lost=5, whole=False, kept_since=NOW)[1] == (
        "Rests on 20 of the 25 negative posts, against 20 of the 25 of the window before and 20 of the 30"
        " others of this window: a sample. Posts are kept for this since 2026-05-01."
    )


def test_all_values_are_asked_of_one_window(monkeypatch):
    """However late it is when the turn of the last one comes."""
    sampled = Sampled(*posts())
    monkeypatch.setattr(commands, "open_counts", lambda _: nullcontext(sampled))
    monkeypatch.setattr(commands, "Analyst", lambda counts: Analyst(counts, SplitAtSpaces))
    out = io.StringIO()
    commands.drivers(Settings(), Question(by="source"), out=Console(file=out, width=100))
    said = out.getvalue()
    assert said.count("2026-05-01 08:30:01 to 2026-05-01 09:30:01") == 2
    assert all(start is not None for _, start, _ in sampled.asked[1:])


def test_a_narrow_terminal_leaves_the_posts_out():
    said = lines(*posts(), cells=50, value="naver\x1b_blog", whole=False)
    assert said[0].startswith("naver_blog")
    assert said[1].endswith("a sample.")
    assert said[2].split() == ["word", "z", "posts", "before"]


def test_nothing_to_say_is_said():
    assert "No word sets the 부정 posts apart." in lines()[2]
    assert lines(posts()[0])[2].endswith("There is nothing to compare them with.")


def test_the_command_line_asks_what_the_posts_can_answer():
    asked = read(Question("긍정", "24h", ["source=a", "keyword=산불"], limit=7))
    assert asked == Asked(Label.POSITIVE, Filter.of((), ["a"], (), ["산불"]), "24h", None, None, 7)
    for question, sentence in (
        (Question(window="1h", start="2026-05-01"), "not both"),
        (Question(where=["revision=r"]), "not by 'revision'"),
        (Question(by="day"), "not by 'day'"),
        (Question(label="bad"), "A label is one of"),
    ):
        with pytest.raises(UserError, match=sentence):
            read(question)
