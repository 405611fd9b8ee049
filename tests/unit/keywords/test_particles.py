"""Particles are told from the rest of another word by their forms and by the sound before them."""

import pytest

from nifos_stream.keywords.particles import LONGEST, may_follow

FOLLOWS = """이 은 을 의 에 에서 에서는 에서도 까지 까지도 로는 처럼 보다는 만 만은 들 들이 들에게는 뿐만 이나
이라도 이라고 입니다 이네요 이었다 인데요 일까요 때문에 로부터 로인한 이요 에서만은요
에선 엔 들에겐 론 님이 님들도 끼리 이었네요 이였다 이라구요 이라는게 일텐데 인걸 이자 에다가 이겠지 중엔"""
BEHIND_A_VOWEL = "네요 였네요 였으면 이자 라는게 더라구요 래요 예여 랄까"
DOES_NOT_FOLLOW = "감시원 피해 방지 법 예방 이야기 은행 자 적 으로 가 를 와 는"


@pytest.mark.parametrize("syllables", FOLLOWS.split())
def test_a_particle_or_an_ending_may_follow_a_noun(syllables):
    """산불에서는, 산불까지도, 산불로부터: ㄹ takes 로, and else what a consonant takes."""
    assert may_follow("불", syllables)


@pytest.mark.parametrize("syllables", DOES_NOT_FOLLOW.split())
def test_the_rest_of_another_word_is_no_particle(syllables):
    assert not may_follow("불", syllables)


@pytest.mark.parametrize(
    ("last", "fits", "does_not"), [("길", "이", "가"), ("제", "가", "이"), ("청", "으로", "로")]
)
def test_a_particle_has_the_form_that_the_sound_before_it_asks_for(last, fits, does_not):
    assert may_follow(last, fits)
    assert not may_follow(last, does_not)


@pytest.mark.parametrize("syllables", BEHIND_A_VOWEL.split())
def test_behind_a_vowel_the_copula_loses_its_first_syllable_and_behind_a_consonant_it_does_not(syllables):
    """영화였네요; 이자, with it, goes with both."""
    assert may_follow("화", syllables)
    assert may_follow("독", syllables) == (syllables[0] in "이예")


def test_behind_what_is_no_hangul_either_form_is_right():
    assert may_follow("x", "가")
    assert may_follow("x", "이")


def test_a_chain_without_end_is_no_word():
    assert not may_follow("불", "까지" * LONGEST)
