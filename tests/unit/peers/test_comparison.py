"""Contenders must label the same posts, and alike; what does not hold is said in a sentence."""

import json

from tests.peers.comparison import Said, Verdict, compare, said

REFERENCE = {name: Said(name, "positive", 0.5) for name in ("a", "b", "c")}
SAME = list(REFERENCE.values())


def test_the_same_labels_of_the_same_posts_are_no_problem():
    assert compare(SAME, REFERENCE, exact=True) == Verdict(1.0, ())


def test_a_post_that_was_not_labelled_is_named():
    assert "1 posts were not labelled, such as c" in compare(SAME[:2], REFERENCE, exact=True).problems


def test_a_post_that_was_labelled_twice_is_named():
    assert (
        "1 posts were labelled more than once, such as a"
        in compare([*SAME, SAME[0]], REFERENCE, exact=False).problems
    )


def test_a_post_that_nobody_sent_is_named():
    stranger = Said("z", "positive", 0.5)
    assert "1 posts were never there, such as z" in compare([*SAME, stranger], REFERENCE, exact=True).problems


def test_in_fp32_a_clear_post_must_get_the_same_label():
    verdict = compare([Said("a", "negative", 0.9), *SAME[1:]], REFERENCE, exact=True)
    assert verdict.problems == ("1 clear posts got another label, such as a",)


def test_in_fp32_a_post_between_two_labels_may_get_the_other():
    """The reference's margin counts: what it cannot tell apart, rounding may turn over."""
    reference = REFERENCE | {"a": Said("a", "positive", 0.0009)}
    verdict = compare([Said("a", "negative", 0.0008), *SAME[1:]], reference, exact=True)
    assert verdict.problems == ()
    assert verdict.same < 1


def test_in_other_dtypes_one_in_a_hundred_may_differ_and_no_more():
    reference = {str(number): Said(str(number), "neutral", 0.5) for number in range(100)}
    given = list(reference.values())
    given[0] = Said("0", "negative", 0.5)
    assert compare(given, reference, exact=False) == Verdict(0.99, ())
    given[1] = Said("1", "negative", 0.5)
    assert compare(given, reference, exact=False).problems == ("only 98.0% of the posts got the same label",)


def test_who_labelled_nothing_agrees_with_nobody():
    verdict = compare([], REFERENCE, exact=False)
    assert verdict.same == 0
    assert len(verdict.problems) == 2


def test_english_and_korean_labels_are_the_same_labels():
    def event(*names):
        probabilities = dict(zip(names, (0.125, 0.25, 0.625), strict=True))
        return json.dumps({"id": "a", "sentiment": {"label": names[2], "probabilities": probabilities}})

    english, korean = event("negative", "neutral", "positive"), event("부정", "중립", "긍정")
    assert said(english.encode()) == said(korean.encode()) == Said("a", "positive", 0.375)
