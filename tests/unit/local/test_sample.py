import datetime as dt
import json
import lzma
from collections import Counter

import pytest

from nifos_stream.local.sample import SAMPLE_POSTS, sample_posts
from nifos_stream.local.sampling import make_sample
from nifos_stream.messages import Post

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def posts():
    return list(sample_posts(NOW))


def test_every_sample_post_is_a_valid_post_with_its_own_id(posts):
    assert len(posts) == SAMPLE_POSTS
    assert len({Post.model_validate_json(json.dumps(post)).id for post in posts}) == SAMPLE_POSTS


def test_sample_posts_were_written_in_the_last_day_oldest_first(posts):
    times = [dt.datetime.fromisoformat(post["created_at"]) for post in posts]
    assert times == sorted(times)
    assert NOW - dt.timedelta(days=1) < times[0]
    assert times[-1] < NOW


def test_sample_posts_come_from_several_sources_channels_and_search_words(posts):
    assert len(Counter(post["source"] for post in posts)) == 7
    assert set(Counter(post["channel"] for post in posts)) == {"sns", "blog", "review", "news"}
    assert Counter(word for post in posts for word in post["keywords"])["산불"] > 100
    assert sum("title" in post and len(post["text"]) > 100 for post in posts) == 60


def test_times_are_in_the_zone_that_was_given():
    seoul = dt.timezone(dt.timedelta(hours=9))
    assert next(sample_posts(NOW.astimezone(seoul)))["created_at"].endswith("+09:00")
    with pytest.raises(ValueError, match="time zone"):
        next(sample_posts(NOW.replace(tzinfo=None)))


def test_a_sample_is_made_of_cc0_rows_without_swearing_or_films_and_always_the_same(tmp_path):
    rows = ["id\tsource\tchannel\ttext\tlabel"]
    rows += [
        f"nsmc-{number}\tnsmc_raw\treview\t다시 가고 싶은 곳 {number}\t{number % 3}" for number in range(2400)
    ]
    rows += ["nsmc-x\tnsmc_raw\treview\t존나 별로였던 곳\t0", "nsmc-y\tnsmc_raw\treview\t배우가 좋았던 곳\t2"]
    rows += ["kote-1\tkote\tsns\t다른 이용 허락\t1"]
    corpus = tmp_path / "corpus.tsv.xz"
    corpus.write_bytes(lzma.compress("\n".join(rows).encode()))
    for name in ("one.xz", "two.xz"):
        make_sample(corpus, tmp_path / name)
    assert (tmp_path / "one.xz").read_bytes() == (tmp_path / "two.xz").read_bytes()
    made = [json.loads(line) for line in lzma.decompress((tmp_path / "one.xz").read_bytes()).splitlines()]
    assert len(made) == SAMPLE_POSTS
    assert not any(word in post["text"] for post in made for word in ("존나", "배우", "허락"))


def test_a_corpus_that_is_too_small_is_refused(tmp_path):
    corpus = tmp_path / "corpus.tsv.xz"
    corpus.write_bytes(lzma.compress(b"id\tsource\tchannel\ttext\tlabel\n"))
    with pytest.raises(ValueError, match="too few rows"):
        make_sample(corpus, tmp_path / "out.xz")
