import pytest

from nifos_stream.bench.texts import different, read_texts, with_repeats
from nifos_stream.errors import UserError

TEXTS = [f"단어{number} 둘 셋 {'길게 ' * (number % 7)}끝{number}" for number in range(50)]


def test_texts_are_all_different_and_about_as_long():
    made = different(TEXTS, 500)
    assert len(set(made)) == 500
    assert set(TEXTS) <= set(made)
    mean = sum(map(len, TEXTS)) / len(TEXTS)
    assert sum(map(len, made)) / len(made) == pytest.approx(mean, rel=0.2)


def test_more_texts_begin_with_those_of_fewer():
    assert different(TEXTS, 300)[:20] == different(TEXTS, 20)
    assert different(TEXTS, 1500)[:300] == different(TEXTS, 300)


def test_too_few_words_are_said():
    with pytest.raises(UserError, match="too few to make 100"):
        different(["하나", "둘"], 100)


def test_about_the_asked_share_was_there_before():
    texts = [str(number) for number in range(2000)]
    given = with_repeats(texts, 0.5)
    assert len(given) == 2000
    assert len(set(given)) == pytest.approx(1000, rel=0.1)


def test_texts_come_from_a_file_of_any_kind_each_once(tmp_path):
    table = tmp_path / "posts.csv"
    table.write_text("본문,출처\n좋아요,a\n별로,b\n좋아요,c\n ,d\n", encoding="utf-8")
    assert read_texts(table) == ["좋아요", "별로"]


def test_a_file_without_texts_is_said(tmp_path):
    table = tmp_path / "posts.csv"
    table.write_text("본문,출처\n ,d\n", encoding="utf-8")
    with pytest.raises(UserError, match="no row with a text"):
        read_texts(table)


def test_without_a_file_the_sample_is_taken():
    assert len(read_texts(None)) > 2000
