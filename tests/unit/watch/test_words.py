"""Words of tokens that are made by hand, as the analyser gives them."""

from dataclasses import dataclass

from nifos_stream.watch.words import named, words_of


@dataclass
class Token:
    form: str
    tag: str
    lemma: str
    start: int
    len: int
    word_position: int


def read(*spaced):
    """Each spaced word is a list of FORM/TAG, or FORM/TAG/LEMMA, with the letters that it is spelt with."""
    tokens, text = [], ""
    for place, (spelt, cut) in enumerate(spaced):
        at = len(text)
        for part in cut.split():
            form, tag, *lemma = part.split("/")
            found = spelt.find(form, at - len(text))
            at = len(text) + found if found >= 0 else at
            tokens.append(Token(form, tag, lemma[0] if lemma else form, at, len(form), place))
            at += len(form) if found >= 0 else 0
        text += spelt + " "
    return words_of(text, tokens)


def test_nouns_roots_and_predicates_are_words_and_particles_are_not():
    words = read(
        ("숲이", "숲/NNG 이/JKS"),
        ("깨끗하고", "깨끗/XR 하/XSA 고/EC"),
        ("좋았어요", "좋/VA/좋다 았/EP 어요/EF"),
        ("더러웠다", "더럽/VA-I/더럽다 었/EP 다/EF"),
        ("있다", "있/VX/있다 다/EF"),
        ("정말", "정말/MAG"),
    )
    assert words.sure == {"숲", "깨끗", "좋다", "더럽다"}
    assert words.nouns == {"숲", "깨끗"}
    assert words.heads == frozenset()


def test_nouns_that_are_written_together_are_one_word_too():
    words = read(("별빛누리숲길에서", "별빛/NNG 누리/NNG 숲길/NNG 에서/JKB"))
    assert words.sure == {"별빛누리숲길", "별빛", "누리", "숲길"}
    split = read(("솔미르산에", "솔/NNG 미/NNG 르/NNG 산/NNG 에/JKB"))
    assert split.sure == {"솔미르산"}
    assert read(("불친절", "불/XPN 친절/NNG")).sure == {"불친절"}
    assert read(("산,바다", "산/NNG ,/SP 바다/NNG")).sure == {"산", "바다"}


def test_a_name_that_was_cut_is_a_word_when_it_bears_particles():
    """미리내봉, read as a verb each time."""
    cut = "미리/MAG 내/VV/내다 어/EC 봉/NNG {}"
    read_as = [
        read((f"미리내봉{particle}", cut.format(f"{particle}/{tag}" if particle else "")))
        for particle, tag in (("에서", "JKB"), ("은", "JX"), ("", ""))
    ]
    assert all("미리내봉" not in words.sure for words in read_as)
    assert all("미리내봉" in words for words in named(read_as))
    assert "미리내봉" not in named(read_as[:1])[0]


def test_a_name_that_was_cut_is_a_word_when_it_is_one_elsewhere():
    whole = read(("무르가니에서", "무르가니/NNP 에서/JKB"))
    cut = read(("무르가니", "무/NNG 르/NNG 가/VV/가다 니/EC"))
    assert "무르가니" not in cut.sure
    assert all("무르가니" in words for words in named([whole, cut]))
