"""The words that set posts apart, on posts whose words are what stands between their spaces."""

import datetime as dt
import math
from collections import Counter

import pytest

from nifos_stream.counters.kept import Drawn, Sample
from nifos_stream.counters.reader import RedisAway
from nifos_stream.counters.shapes import Count, Window
from nifos_stream.counters.wanted import Filter
from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS, Label
from nifos_stream.watch.analyst import Analyst, Asked, weights
from nifos_stream.watch.drivers import Corpus, drivers, z_scores
from nifos_stream.watch.words import Words
from tests.unit.watch.made_counts import LEVEL, NOW, made_post

NOTHING = Corpus([], [])


def corpus(*texts):
    posts = [made_post(number, text) for number, text in enumerate(texts)]
    return Corpus(posts, [frozenset(text.split()) for text in texts])


def found(target, before=NOTHING, rest=NOTHING, limit=20):
    return [driver.word for driver in drivers(target, before, rest, limit)]


def test_a_score_is_the_difference_of_log_odds_in_standard_errors():
    """By hand, from the equations."""
    scores = z_scores({"a": 8, "b": 2}, {"a": 3, "b": 17}, {"a": 2.0, "b": 3.0})
    odds = math.log(10 / (10 + 5 - 10)) - math.log(5 / (20 + 5 - 5))
    assert scores["a"] == pytest.approx(odds / math.sqrt(1 / 10 + 1 / 5))
    assert scores["b"] < 0 < scores["a"]
    assert z_scores({"a": 1}, {}, {"a": 1.0}) == {}
    assert z_scores({"a": 3}, {"a": 2}, {"a": 5.0}) == {}


def test_a_word_must_be_new_and_of_this_label_alone():
    usual = ["별로 길"] * 20
    target = corpus(*(["산사태 별로 길"] * 15), *(["소풍 별로 길"] * 15))
    assert found(target, corpus(*usual), corpus(*(["소풍 길"] * 20))) == ["산사태"]
    assert set(found(target, corpus(*usual))) == {"산사태", "소풍"}
    assert "별로" in found(target, rest=corpus(*(["소풍 길"] * 20)))
    assert found(target) == []


def test_a_word_is_counted_once_a_post():
    target = corpus("산 " * 50, "물 물", "물", "물")
    [driver] = drivers(target, corpus(*(["길"] * 5)), NOTHING, 5)
    assert (driver.word, driver.count, driver.count_before) == ("물", 3, 0)


def test_a_part_of_a_name_gives_way_to_the_name():
    target = corpus(*(["두메숲길 두메 숲길"] * 10), "숲길", *(["물"] * 10))
    assert found(target, corpus(*(["물"] * 20))) == ["두메숲길"]
    often = corpus(*(["두메숲길 두메 숲길"] * 10), *(["숲길"] * 10), *(["물"] * 10))
    assert set(found(often, corpus(*(["물"] * 20)))) == {"두메숲길", "숲길"}


def test_the_newest_posts_stand_behind_a_word():
    target = corpus(*(["산사태"] * 9))
    [driver] = drivers(target, corpus(*(["물"] * 9)), NOTHING, 5)
    assert [post.id for post in driver.posts] == ["0", "1", "2", "3", "4"]
    assert driver.z == driver.z_before
    assert driver.z_rest is None


class SplitAtSpaces:
    def __init__(self):
        self.texts = []

    def read(self, texts):
        self.texts += texts
        split = [frozenset(text.split()) for text in texts]
        return [Words(words, words, frozenset()) for words in split]


class Sampled:
    """Posts by the minutes of their age, in the order of their chance.

    rate: of the stretch of a post. lost: posts of each label that were counted and are not kept.
    """

    def __init__(self, *posts, rate=lambda _post: 1.0, whole=True, lost=0, kept_since=None, refused=None):
        self.posts = posts
        self.rate = rate
        self.whole = whole
        self.lost = lost
        self.kept_since = kept_since
        self.refused = refused
        self.asked = []

    def sample(self, window="1h", *, wanted=Filter(), start=None, end=None):  # noqa: B008
        self.asked.append((window, start, end))
        last = end or NOW + dt.timedelta(seconds=1)
        first = start or last - dt.timedelta(hours=1)
        posts = [p for p in self.posts if first <= p.created_at < last and wanted.accepts_kept(p)]
        drawn = tuple(
            Drawn(self.rate(post) * place / len(posts), self.rate(post)) for place, post in enumerate(posts)
        )
        return Sample(first, last, tuple(posts), drawn, self.whole, LEVEL, self.kept_since)

    def window(self, window="1h", *, by=None, where=None, start=None, end=None, grain=None):
        """The counts of all the posts, and of those that are kept no more."""
        if self.refused is not None:
            raise self.refused
        wanted = Filter.of(**{f"{name}s": [value] for name, value in (where or {}).items()})
        sample = self.sample(window, wanted=wanted, start=start, end=end)
        number = Counter(post.label for post in sample.posts)
        total = Count(*(number[label] + self.lost for label in LABELS))
        empty = {"sentences": None, "groups": {}, "other": Count(), "series": (), "freshness": LEVEL}
        return Window(sample.start, sample.end, grain or "10s", "1m", total, by=by, **empty)


def posts():
    ages = [number for number in range(120) if number % 3 == 0]
    return [
        made_post(age, "산사태 길" if age < 60 else "소음 길", source=("a", "b")[age % 2]) for age in ages
    ] + [made_post(age, "좋다 길") for age in range(120) if age % 3 == 2]


def test_the_window_is_compared_with_the_one_before_and_the_other_labels():
    reader = SplitAtSpaces()
    analyst = Analyst(Sampled(*posts()), lambda: reader)
    answer = analyst.find(Asked())
    assert (answer.posts, answer.posts_before, answer.posts_rest) == (20, 20, 20)
    assert (answer.whole, answer.unread) == (True, 0)
    assert [(word.word, word.count, word.count_before) for word in answer.words] == [("산사태", 20, 0)]
    positive = analyst.find(Asked(label=Label.POSITIVE))
    assert (positive.posts, positive.posts_rest) == (20, 20)
    assert analyst.find(Asked(wanted=Filter.of(sources=["a"]))).posts == 10
    assert len(reader.texts) == len({*posts()}) == 80


def test_no_more_is_read_for_one_answer_than_may_be():
    reader = SplitAtSpaces()
    analyst = Analyst(Sampled(*posts()), lambda: reader, most_new=25)
    seen = [
        (found.posts, found.posts_before, found.posts_rest, found.unread)
        for found in map(analyst.find, [Asked()] * 3)
    ]
    assert seen == [(9, 8, 8, 35), (17, 17, 16, 10), (20, 20, 20, 0)]
    assert len(reader.texts) == 60


def test_more_posts_than_are_looked_at_are_said_to_be_a_sample():
    answer = Analyst(Sampled(*posts()), SplitAtSpaces, most_posts=15).find(Asked())
    assert (answer.posts, answer.posts_before, answer.whole) == (15, 15, False)
    assert not Analyst(Sampled(*posts(), whole=False), SplitAtSpaces).find(Asked()).whole


def test_posts_that_were_counted_and_are_not_kept_make_it_no_whole():
    answer = Analyst(Sampled(*posts(), lost=2), SplitAtSpaces).find(Asked())
    assert (answer.posts, answer.posts_before, answer.posts_rest, answer.whole) == (20, 20, 20, False)
    assert (answer.counted, answer.counted_before, answer.counted_rest) == (22, 22, 24)
    of_one = Analyst(Sampled(*posts()), SplitAtSpaces).find(Asked(wanted=Filter.of(sources=["a"])))
    assert (of_one.posts, of_one.counted, of_one.whole) == (10, 10, True)


def test_where_they_are_not_counted_together_what_is_kept_says_whether_they_are_all():
    uncounted = UserError("Posts are not counted by source and channel together.")
    answer = Analyst(Sampled(*posts(), refused=uncounted), SplitAtSpaces).find(Asked())
    assert (answer.posts, answer.counted, answer.whole) == (20, None, True)
    with pytest.raises(RedisAway):
        Analyst(Sampled(*posts(), refused=RedisAway("away")), SplitAtSpaces).find(Asked())


def test_nothing_is_loaded_for_nothing():
    answer = Analyst(Sampled(), pytest.fail).find(Asked())
    assert (answer.posts, answer.words) == (0, ())


def hours(busy, quiet, before):
    """A day of posts, 100 kept of each hour, and the day before it.

    The last hour had 10,000 posts, the others 100. busy, quiet, before: shares of posts with a word, by word.
    """
    for number in range(100):
        for hour in range(48):
            shares = busy if hour == 0 else quiet if hour < 24 else before
            said = [word for word, share in shares.items() if number < 100 * share]
            text, age = " ".join(["길", *said]), 60 * hour + 1 + number % 59
            yield made_post(age, text, id=f"{hour}-{number}", label=Label.NEGATIVE)


def test_a_quiet_hour_weighs_no_more_than_its_posts():
    """What most posts of 23 quiet hours say is not what the day says; what one busy hour says is."""
    usual = {"소풍": 0.3, "산사태": 0.3}
    day = hours({"소풍": 0.0, "산사태": 0.6}, {"소풍": 0.6, "산사태": 0.0}, usual)
    sampled = Sampled(*day, rate=lambda post: 0.01 if post.id.startswith("0-") else 1.0, whole=False)
    answer = Analyst(sampled, SplitAtSpaces, most_posts=10_000).find(
        Asked(start=NOW - dt.timedelta(hours=24), end=NOW)
    )
    assert [word.word for word in answer.words] == ["산사태"]
    assert answer.posts == answer.posts_before == 2400
    # (10,000 + 2,300)^2 / (100 x 100^2 + 2,300)
    assert answer.worth == pytest.approx(150.9, abs=0.1)
    assert answer.worth_before == pytest.approx(2400)


def test_posts_weigh_by_the_rate_of_their_stretch_or_by_where_they_are_cut():
    kind = [
        (None, Drawn(0.01, 0.02)),
        (None, Drawn(0.02, 1.0)),
        (None, Drawn(0.1, 0.5)),
        (None, Drawn(0.4, 1.0)),
    ]
    assert weights(kind, 4) == [50, 1, 2, 1]
    assert weights(kind, 3) == [50, 10, 10]
    assert weights(kind, 2) == [50, 50], "the first ones are a fair sample"
    assert weights(kind, 0) == []
