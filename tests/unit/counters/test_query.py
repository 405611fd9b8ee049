import pytest

from nifos_stream.counters.query import query
from nifos_stream.errors import UserError

COUNTED = ("source", "channel", "keyword", "revision", "source*keyword", "channel*keyword")


def test_all_posts_have_sentences_beside_them():
    asked = query(COUNTED, None, {})
    assert (asked.posts, asked.sentences, asked.group, asked.other) == ("all:", "sentences:", "", "")


def test_a_filter_reads_the_fields_of_its_value():
    asked = query(COUNTED, None, {"source": "a:b"})
    assert (asked.posts, asked.sentences) == ("source:a%3Ab:", "sentences.source:a%3Ab:")
    assert query(COUNTED, None, {"keyword": "산불"}).sentences == ""


def test_a_dimension_and_a_filter_meet_in_their_pair():
    asked = query(COUNTED, "source", {"keyword": "산불"})
    assert (asked.posts, asked.group, asked.first, asked.second) == (
        "keyword:산불:",
        "source*keyword",
        "",
        "산불",
    )
    turned = query(COUNTED, "keyword", {"source": "twitter"})
    assert (turned.group, turned.first, turned.second) == ("source*keyword", "twitter", "")


def test_two_filters_meet_in_their_pair_in_either_order():
    one = query(COUNTED, None, {"keyword": "산불", "channel": "sns"})
    assert one.posts == "channel*keyword:sns*산불:"
    assert query(COUNTED, None, {"channel": "sns", "keyword": "산불"}) == one


@pytest.mark.parametrize(
    ("counted", "by", "where"),
    [
        (COUNTED, "author", {}),
        (COUNTED, "source", {"author": "x"}),
        (COUNTED, "source", {"channel": "sns"}),
        (COUNTED, "source", {"source": "twitter"}),
        (COUNTED, "revision", {"keyword": "산불"}),
        (COUNTED, "source", {"keyword": "산불", "channel": "sns"}),
        (("source", "keyword"), "source", {"keyword": "산불"}),
        (("source",), "keyword", {}),
    ],
)
def test_what_is_not_counted_is_one_sentence(counted, by, where):
    with pytest.raises(UserError, match="counted by"):
        query(counted, by, where)


@pytest.mark.parametrize(
    ("counted", "by", "sentence"),
    [
        (
            COUNTED,
            "source",
            "by source and channel together, but by source and keyword; by channel and keyword",
        ),
        (("source", "channel"), "source", "by source and channel together ("),
        (("keyword", "channel"), "keyword", "by channel and keyword ("),
    ],
)
def test_what_is_counted_instead_is_said(counted, by, sentence):
    with pytest.raises(UserError) as refused:
        query(counted, by, {"channel": "sns"})
    assert sentence in str(refused.value)
    assert str(refused.value).endswith("(NIFOS_COUNTERS__DIMENSIONS).")


@pytest.mark.parametrize(("by", "where"), [(None, {"source": ""}), ("keyword", {"source": ""})])
def test_a_filter_without_a_value_is_refused(by, where):
    """What has no source is not counted by it, so such a filter would have matched every pair."""
    with pytest.raises(UserError, match="needs a value"):
        query(COUNTED, by, where)
