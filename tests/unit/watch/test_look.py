"""How sentiment looks: bars, sparklines, and text that strangers wrote."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from nifos_stream.messages import Label
from nifos_stream.watch import look


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_no_text_steers_a_terminal(text):
    shown = look.plain(text)
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u2028\ud800")


def test_a_family_of_emoji_stays_together():
    assert look.plain("👨\u200d👩\u200d👧") == "👨\u200d👩\u200d👧"


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("가나 ab⋯한"), max_size=30), st.integers(1, 20))
def test_text_is_fitted_to_cells(text, cells):
    assert cell_len(look.fitted(text, cells)) == cells or look.fitted(text, cells).endswith("…")
    assert cell_len(look.fitted(text, cells)) <= cells


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(1, 60))
def test_the_shares_of_a_bar_fill_it(negative, neutral, positive, cells):
    total = negative + neutral + positive
    shares = [number / total if total else 0.0 for number in (negative, neutral, positive)]
    assert look.share_bar(shares, cells).cell_len == cells


@settings(max_examples=60, deadline=None)
@given(st.floats(-1, 2), st.integers(1, 40))
def test_a_bar_keeps_its_width(share, cells):
    assert look.single_bar(share, cells, "red").cell_len == cells


def test_nothing_is_an_empty_bar():
    assert look.share_bar([0.0, 0.0, 0.0], 4).plain == "    "
    assert look.share_bar([0.0, 1.0, 0.0], 4).plain.strip()


def test_a_label_is_told_by_sign_and_word_and_shade_without_colour():
    assert [look.label_text(label).plain for label in Label] == ["− 부정", "· 중립", "+ 긍정"]
    assert len(set(look.share_bar([0.4, 0.2, 0.4], 10).plain)) == 3


def test_a_sparkline_goes_from_nothing_to_the_greatest():
    assert look.sparkline([0, 4, 8, None, 8], 6) == " ·▅█ █"
    assert look.sparkline([0, 0], 2) == "··"
    assert look.sparkline([0, 1, 100], 3) == "·▁█"
    assert look.sparkline([], 3) == "   "
    assert look.sparkline([1, 2, 3], 2) == "▆█"


@pytest.mark.parametrize(
    ("net", "shown"),
    [(None, "–"), (0.123, "+0.12"), (-0.5, "−0.50"), (-0.004, "0.00"), (0.0, "0.00"), (1.0, "+1.00")],
)
def test_net_sentiment_is_signed(net, shown):
    assert look.net_text(net).plain == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "0%"), (0.012, "1.2%"), (0.09, "9.0%"), (0.376, "38%"), (1.0, "100%")]
)
def test_a_share_has_decimals_where_they_matter(share, shown):
    assert look.percent(share) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (1.23, "1.2 s"),
        (45, "45 s"),
        (119, "119 s"),
        (300, "5 min"),
        (7200, "2 h"),
        (400_000, "5 d"),
    ],
)
def test_an_age_has_a_fitting_unit(seconds, shown):
    assert look.age(seconds) == shown


def test_a_moment_is_eleven_cells_wide():
    now = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    assert look.moment(now, now) == "05-01 00:00"
    assert look.moment(now.replace(year=2020), now) == "2020-05-01 "
