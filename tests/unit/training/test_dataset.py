import gzip
import json
import lzma
from collections import Counter
from pathlib import Path

import pytest

from nifos_stream.errors import UserError
from nifos_stream.messages import Label
from nifos_stream.training import account, corpus, dataset

NEGATIVE, NEUTRAL, POSITIVE = Label


def write(path: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def pairs(data: dataset.Dataset) -> list[tuple[str, int]]:
    return [(row.text, row.label) for row in data.rows]


EXPECTED = [("좋다, 정말", 2), ("나쁘다", 0), ("그냥", 1)]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("a.csv", ["sentence,sentiment", '"좋다, 정말",긍정', "나쁘다,부정", "그냥,중립"]),
        ("a.tsv", ["text\tlabel", "좋다, 정말\t2", "나쁘다\t0", "그냥\t1"]),
        ("a.csv", ["문장,감정", '"좋다, 정말",positive', "나쁘다,Negative", "그냥,neutral"]),
        ("a.csv", ["sentence,sentiment", '"좋다, 정말",2.0', "나쁘다,0.0", "그냥,1.0"]),
        (
            "a.jsonl",
            [
                '{"sentence": "좋다, 정말", "sentiment": 2}',
                '{"sentence": "나쁘다", "sentiment": "부정"}',
                '{"sentence": "그냥", "sentiment": 1.0}',
            ],
        ),
    ],
)
def test_labels_are_words_or_numbers_in_any_usual_file(tmp_path: Path, name: str, lines: list[str]):
    assert pairs(dataset.read(write(tmp_path / name, lines))) == EXPECTED


def test_compressed_files_and_koreas_older_encoding_are_read(tmp_path: Path):
    lines = ["sentence,sentiment", '"좋다, 정말",긍정', "나쁘다,부정", "그냥,중립"]
    plain = write(tmp_path / "a.csv", lines, "cp949")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (tmp_path / "a.csv.xz").write_bytes(lzma.compress(plain.read_bytes()))
    for name in ("a.csv", "a.csv.gz", "a.csv.xz"):
        assert pairs(dataset.read(tmp_path / name)) == EXPECTED


def test_older_files_that_count_otherwise_are_read_as_said(tmp_path: Path):
    path = write(tmp_path / "a.tsv", ["text\tlabel", "좋다\t1", "나쁘다\t0", "그냥\t2"])
    data = dataset.read(path, numbers=dataset.parse_labels("부정,긍정,중립"))
    assert pairs(data) == [("좋다", 2), ("나쁘다", 0), ("그냥", 1)]
    assert [(taken.written, taken.label) for taken in data.taken] == [
        ("0", NEGATIVE),
        ("1", POSITIVE),
        ("2", NEUTRAL),
    ]
    assert dataset.parse_labels("1=부정, 2=중립, 3=긍정") == {"1": NEGATIVE, "2": NEUTRAL, "3": POSITIVE}


@pytest.mark.parametrize("said", ["부정,긍정", "부정,긍정,긍정", "a,b,c", "부정,긍정,중립,중립", ""])
def test_an_order_that_is_not_the_three_labels_is_refused(said: str):
    with pytest.raises(UserError, match="each once"):
        dataset.parse_labels(said)


def test_what_each_label_was_taken_for_is_said_with_count_and_three_examples(tmp_path: Path):
    lines = ["sentence,sentiment", *(f"좋다 {n},2" for n in range(5)), "나쁘다,0", "그냥\u001b[31m,1"]
    said = list(account.of(dataset.read(write(tmp_path / "a.csv", lines))))
    assert "  '2' is taken for 긍정 (positive): 5 texts, such as" in said
    assert [line.strip() for line in said if "좋다" in line] == ["좋다 0", "좋다 1", "좋다 2"]
    assert not any("\u001b" in line for line in said)


def test_missing_and_repeated_rows_are_dropped_and_counted(tmp_path: Path):
    lines = [
        "sentence,sentiment",
        "좋다,2",
        "좋다,2",
        " 좋다 ,2",
        ",2",
        "그냥,",
        "nan,1",
        "나쁘다,0",
        "없다,nan",
    ]
    data = dataset.read(write(tmp_path / "a.csv", lines))
    assert pairs(data) == [("좋다", 2), ("나쁘다", 0)]
    assert (data.missing, data.duplicates) == (4, 2)
    said = "\n".join(account.of(data))
    assert "dropped: 4 rows without text or label" in said
    assert "dropped: 2 rows that repeat" in said


def test_a_test_set_keeps_its_repeated_rows(tmp_path: Path):
    data = dataset.read(write(tmp_path / "a.csv", ["text,label", "좋다,2", "좋다,2"]), repeated=True)
    assert (len(data.rows), data.duplicates) == (2, 0)


def test_one_text_with_two_labels_is_reported(tmp_path: Path):
    lines = ["sentence,sentiment", "그저 그래,1", "그저 그래,0", "좋다,2", "그저 그래,0"]
    data = dataset.read(write(tmp_path / "a.csv", lines))
    assert data.contradictions == (dataset.Contradiction("그저 그래", (NEGATIVE, NEUTRAL)),)
    assert len(data.rows) == 3
    assert any("그저 그래 (부정, 중립)" in line for line in account.of(data))


def test_rows_that_cannot_be_read_are_counted(tmp_path: Path):
    lines = [json.dumps({"text": "좋다", "label": 2}), "{broken", json.dumps({"text": "그냥", "label": 1})]
    data = dataset.read(write(tmp_path / "a.jsonl", lines))
    assert (len(data.rows), len(data.unreadable)) == (2, 1)
    assert any("line 2" in line for line in account.of(data))


@pytest.mark.parametrize(
    ("lines", "columns", "sentence"),
    [
        (["sentence,sentiment", "좋다,2", "그냥,3"], {}, "line 3: the label '3' is none of"),
        (["sentence,sentiment", "좋다,true"], {}, "the label 'true' is none of"),
        (["sentence,answer", "좋다,2"], {}, "no column for the label; its columns are sentence, answer"),
        (["a,b", "좋다,2"], {}, "no column"),
        (["sentence,sentiment", "좋다,2"], {"label": "grade"}, "no column grade"),
        (["sentence,sentiment", ",2"], {}, "no row with both"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, lines, columns, sentence):
    with pytest.raises(UserError, match=sentence):
        dataset.read(write(tmp_path / "a.csv", lines), columns=columns)


def test_columns_can_be_named(tmp_path: Path):
    path = write(tmp_path / "a.csv", ["a,b,c", "좋다,2,블로그", "나쁘다,0,"])
    data = dataset.read(path, columns={"text": "a", "label": "b", "source": "c"})
    assert pairs(data) == [("좋다", 2), ("나쁘다", 0)]
    assert data.by_source() == {
        "all": {"negative": 1, "neutral": 0, "positive": 0},
        "블로그": {"negative": 0, "neutral": 0, "positive": 1},
    }


def rows(*counts: int) -> list[corpus.Row]:
    return [
        corpus.Row(f"{label} {n}", label, "all") for label, count in enumerate(counts) for n in range(count)
    ]


def test_the_split_gives_each_label_its_share_and_is_the_same_each_time():
    train, valid = dataset.split(rows(100, 10, 1000))
    assert Counter(row.label for row in valid) == {0: 20, 1: 2, 2: 200}
    assert len(train) == 888
    assert not {row.text for row in train} & {row.text for row in valid}
    assert dataset.split(rows(100, 10, 1000)) == (train, valid)
    assert dataset.split(rows(100, 10, 1000), seed=43) != (train, valid)


def test_a_text_with_two_labels_is_on_one_side_only():
    twice = [corpus.Row(f"글 {n}", label, "all") for n in range(50) for label in (0, 1)]
    train, valid = dataset.split(twice)
    assert len(valid) == 20
    assert not {row.text for row in train} & {row.text for row in valid}


def test_validation_texts_are_taken_out_of_the_training_rows():
    kept = dataset.without(rows(3, 0, 0), [corpus.Row("0  1 ", 2, "x")])
    assert [row.text for row in kept] == ["0 0", "0 2"]
