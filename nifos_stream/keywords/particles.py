"""Korean particles and endings: may these syllables follow a noun as part of its word? Knows no word list.

Not a morphological analysis, which takes milliseconds a sentence, but the closed class of particles (josa),
in the orders that they are written in, and the forms of the copula (이다). A form is tried only behind the
sound that it goes with: 이 and 을 follow a consonant, 가 and 를 a vowel, so 국가 is no 국 with a particle.
"""

import enum
import functools

LONGEST = 12
"""Syllables of the longest chain that is looked at."""
_MOST_STACKED = 3


class Final(enum.Enum):
    """How a syllable ends. UNKNOWN: it is no Hangul, so any form may follow (KTX가, KTX이)."""

    VOWEL = "vowel"
    RIEUL = "rieul"
    CONSONANT = "consonant"
    UNKNOWN = "unknown"


_VOWEL = {Final.VOWEL, Final.UNKNOWN}
_CONSONANT = {Final.RIEUL, Final.CONSONANT, Final.UNKNOWN}
_RO = {Final.VOWEL, Final.RIEUL, Final.UNKNOWN}
_EURO = {Final.CONSONANT, Final.UNKNOWN}
_ANY = set(Final)

_STACKED = (
    (
        """에 에서 에게 에게서 께 께서 한테 한테서 까지 부터 마저 조차 처럼 같이 보다 만큼 대로 마다 만 뿐
        밖에 치고 하고 말고 끼리 때문 때문에 중 중에 중에서 중엔 같은 관련 에서부터 만으로 에다 에다가""",
        _ANY,
    ),
    ("과 이랑 이나 이나마 이라도 이란 은커녕 이야말로", _CONSONANT),
    ("와 랑 나 나마 라도 란 는커녕 야말로", _VOWEL),
    ("으로 으로서 으로써 으로부터 으로인한 으로인해", _EURO),
    ("로 로서 로써 로부터 로인한 로인해", _RO),
)
"""Others may follow them. 때문, 중에, 같은, 관련 and 인한 are words that many write without the space."""
_LAST = (
    ("의 도 요 엔 에선 에겐 한텐 까진 부턴 보단 처럼만 답게 다운", _ANY),
    ("이 은 을 이야 이여 아", _CONSONANT),
    ("으론", _EURO),
    ("론", _RO),
    ("가 는 를 야 여", _VOWEL),
)
_PLAIN_ENDINGS = """
    다 라서 라고 라고요 라구 라구요 라는 라는데 라는게 라면 라면서 라도 라며 라던데 라든가 라든지 라던가
    라던지 라니 라지만 라길래 라고는 라는걸 라기 라기보다 라기보다는 랄까 니까 면 면서 면서도 지만
    지요 죠 네 네요 군요 구나 냐 냐고 냐구 고 고요 구요 구만 며 든지 랍니다 래 래요 거든 거든요
    잖아 잖아요 더라 더라고 더라고요 더라구요 던데 던데요 므로 겠네 겠네요 겠지 겠지만 겠죠 세요
    십니다
"""
_PAST_ENDINGS = """
    다 다고 다는 다가 고 고요 구나 군요 는데 는데요 는데도 던 던데 던데요 던것 지 지만 지요 죠 습니다
    습니다만 습니까 어 어요 어도 어서 음 음을 음에도 네 네요 나 나요 나봐요 으면 으니 으니까 으나
    을 을까 을까요 을때 을텐데 을듯 거든요 잖아요 더라면 더니 대요
"""
_COPULA = (
    (
        """인 인가 인가요 인가봐 인가봐요 인데 인데요 인데도 인데다 인지 인지도 인지는 인줄 인듯 인듯요
        인것 인거 인걸 인걸요 인게 인건 인건지 인만큼 일 일까 일까요 일지 일지도 일듯
        일텐데 일텐데요 일뿐 일때 임 임을 임에 임에는 임에도 입니다 입니다만 입니까
        입니당 임다 예요 에요 예여 에여 이예요 이예여 이에요 이에여 이라 이니 이지 이든
        이자 이기 이기에 이기도 이기때문에 이던 이신 이신데 이여서""",
        _ANY,
    ),
    (" ".join("이" + ending for ending in _PLAIN_ENDINGS.split()), _ANY),
    (" ".join(stem + ending for stem in ("이었", "이였") for ending in _PAST_ENDINGS.split()), _ANY),
    (_PLAIN_ENDINGS, _VOWEL),
    (" ".join("였" + ending for ending in _PAST_ENDINGS.split()), _VOWEL),
    ("여서 여요", _VOWEL),
    ("이어서", _ANY),
)
"""Behind a vowel 이 may go. 이였다 is a common way to misspell 이었다."""

_SUFFIXES = ("님들", "들", "님")
"""The plural and the title, which stand between a noun and its particles."""


def _by_final(*tables: tuple[tuple[str, set[Final]], ...]) -> dict[Final, frozenset[str]]:
    rows = [row for table in tables for row in table]
    return {
        final: frozenset(form for forms, finals in rows if final in finals for form in forms.split())
        for final in Final
    }


_MORE = _by_final(_STACKED)
_ENDS = _by_final(_STACKED, _LAST, _COPULA)


def is_hangul(char: str) -> bool:
    """Whether it is a whole syllable; ㅋ and ㅠ alone are not."""
    return "가" <= char <= "힣"


def final_of(char: str) -> Final:
    """How the syllable ends."""
    if not is_hangul(char):
        return Final.UNKNOWN
    number = (ord(char) - ord("가")) % 28
    return {0: Final.VOWEL, 8: Final.RIEUL}.get(number, Final.CONSONANT)


def may_follow(last: str, syllables: str) -> bool:
    """Whether `syllables`, up to where the Hangul ends, can belong to a noun that ends in `last`."""
    return len(syllables) <= LONGEST and _may_follow(final_of(last), syllables)


@functools.lru_cache(maxsize=16_384)
def _may_follow(final: Final, syllables: str) -> bool:
    for suffix in _SUFFIXES:
        if syllables.startswith(suffix):
            rest = syllables.removeprefix(suffix)
            return not rest or _chained(final_of(suffix[-1]), rest, _MOST_STACKED)
    return _chained(final, syllables, _MOST_STACKED)


def _chained(final: Final, rest: str, more: int) -> bool:
    if rest in _ENDS[final] or rest.removesuffix("요") in _ENDS[final]:
        return True
    return more > 0 and any(
        _chained(final_of(form[-1]), rest.removeprefix(form), more - 1)
        for form in _MORE[final]
        if rest.startswith(form)
    )
