import gzip
import lzma
from pathlib import Path

import pytest

from nifos_stream.errors import UserError
from nifos_stream.training import corpus
from nifos_stream.training.corpus import Row

TSV = 'id\tsource\tchannel\ttext\tlabel\n1\tkote\tsns\t"숲이 좋다\t2\n2\tkodoli\tsns\t별로다\t0\n'
ROWS = [Row('"숲이 좋다', 2, "kote"), Row("별로다", 0, "kodoli")]


@pytest.mark.parametrize(
    ("name", "packed"), [("a.tsv", bytes), ("a.tsv.xz", lzma.compress), ("a.tsv.gz", gzip.compress)]
)
def test_a_tsv_is_read_plain_or_packed_and_quotes_are_text(tmp_path: Path, name: str, packed: object) -> None:
    assert callable(packed)
    (tmp_path / name).write_bytes(packed(TSV.encode()))
    assert corpus.read(tmp_path / name) == ROWS


def test_a_csv_quotes_its_fields_and_may_have_no_source(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,label\n"좋다, 정말",긍정\n', encoding="utf-8-sig")
    assert corpus.read(tmp_path / "a.csv") == [Row("좋다, 정말", 2, "all")]


def test_json_lines_name_their_labels_in_either_language(tmp_path: Path) -> None:
    lines = '{"text": "그냥", "label": "neutral"}\n{"text": "나빴다", "label": 0, "source": "x"}\n'
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    assert corpus.read(tmp_path / "a.jsonl") == [Row("그냥", 1, "all"), Row("나빴다", 0, "x")]


def test_an_unknown_label_is_refused_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n좋다,2\n좋다,7\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"a\.csv, row 2.*'7'"):
        corpus.read(tmp_path / "a.csv")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.parquet is not"):
        corpus.read(tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.tsv cannot be read"):
        corpus.read(tmp_path / "a.tsv")
