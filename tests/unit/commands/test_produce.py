"""Posts from files to the input topic, without Kafka."""

import io
import json

import pytest
from rich.console import Console

from nifos_stream.commands.produce import Key, Options, produce
from nifos_stream.errors import BrokerUnavailable, UserError
from nifos_stream.settings import Settings

CSV = "본문,작성일,출처\n산불,2020.06.01.,twitter\n ,2020.06.01.,twitter\n등산,어제,twitter\n"


class Kept:
    """Keeps what it is given; `fail` is raised instead of taking the post with that number."""

    def __init__(self, fail=None, at=None):
        self.accepted = 0
        self.records = []
        self._fail, self._at = fail, at

    def __call__(self, settings, on_refused, *, per_second):  # noqa: ARG002 - the signature of a sender
        self.on_refused = on_refused
        return self

    def send(self, place, key, value):
        if self._fail is not None and len(self.records) == self._at:
            raise self._fail
        self.records.append((place, key, value))
        if b"too large" in value:
            self.on_refused(place, "is 2,000,000 bytes, and the topic takes messages of 1,000,000", value)
        else:
            self.accepted += 1

    def flush(self, timeout_seconds=None):  # noqa: ARG002 - the same
        return 0


class Call:
    """One call of produce, and what it said."""

    def __init__(self, *files, stdin=b"", sender=None, **options):
        self.sender = sender or Kept()
        self._out, self._err = io.StringIO(), io.StringIO()
        self.arguments = (Settings(), [str(file) for file in files], Options(**options))
        self.keywords = {
            "stdin": io.BytesIO(stdin if isinstance(stdin, bytes) else stdin.encode()),
            "open_sender": self.sender,
            "out": Console(file=self._out, soft_wrap=True),
            "err": Console(file=self._err),
        }

    def run(self):
        return produce(*self.arguments, **self.keywords)

    @property
    def said(self):
        return self._out.getvalue()

    @property
    def noted(self):
        return self._err.getvalue()

    @property
    def values(self):
        return [json.loads(value) for _, _, value in self.sender.records]


def test_posts_are_sent_and_rejected_rows_are_named(tmp_path):
    path = tmp_path / "리뷰.csv"
    path.write_text(CSV, encoding="cp949")
    call = Call(path)
    assert call.run() == 1
    (post,) = call.values
    assert post["text"] == "산불"
    assert post["created_at"] == "2020-06-01T00:00:00+09:00"
    assert "1 post accepted, sent to nifos.posts; 2 rejected." in call.said
    assert f"{path}, line 3: text is empty" in call.said
    assert f"{path}, line 4: created_at: '어제' is not a date" in call.said


def test_all_accepted_is_exit_code_zero():
    assert Call("-", stdin="산불\n등산\n").run() == 0


def test_the_key_is_the_identifier_unless_another_is_asked_for():
    row = '{"id":7,"text":"산불","source":"twitter"}\n'
    for key, expected in ((Key.ID, b"7"), (Key.SOURCE, b"twitter"), (Key.AUTHOR, None), (Key.NONE, None)):
        call = Call("-", stdin=row, key=key)
        call.run()
        assert call.sender.records[0][1] == expected


def test_what_the_worker_would_not_take_is_not_sent():
    bad = [
        '{"text":7}',
        '{"text":"a","rating":"x"}',
        '{"text":"\\ud800"}',
        '{"text":"a","x":' + "[" * 150 + "]" * 150 + "}",
        '{"text":"a","keywords":[1]}',
        '{"text":"a","x":1e999}',
    ]
    call = Call("-", stdin="\n".join([*bad, '{"text":"good"}']))
    assert call.run() == 1
    assert [value["text"] for value in call.values] == ["good"]
    assert "1 post accepted" in call.said
    assert "6 rejected" in call.said
    assert "standard input, line 1: Field text is not a string" in call.said


def test_the_rejected_rows_are_all_written_down(tmp_path):
    rejects = tmp_path / "rejects.jsonl"
    call = Call("-", stdin="본문,번호\n" + " ,1\n" * 30 + "산불,2\n", rejects=rejects)
    assert call.run() == 1
    lines = [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 30
    assert lines[0] == {
        "file": "standard input",
        "line": 2,
        "reason": "text is empty",
        "row": {"본문": " ", "번호": "1"},
    }
    assert call.said.count("text is empty") == 20
    assert f"and 10 more; all are in {rejects}" in call.said


def test_the_rejects_never_overwrite_what_is_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(CSV, encoding="utf-8")
    with pytest.raises(UserError, match="--rejects would overwrite"):
        Call(path, rejects=path).run()
    assert path.read_text(encoding="utf-8") == CSV


def test_a_post_that_kafka_refuses_is_a_rejected_row():
    call = Call("-", stdin='{"text":"too large"}\n{"text":"good"}\n')
    assert call.run() == 1
    assert "standard input, line 1: is 2,000,000 bytes" in call.said


def test_a_file_that_cannot_be_used_is_found_before_anything_is_sent(tmp_path):
    good, bad = tmp_path / "a.txt", tmp_path / "b.csv"
    good.write_text("산불", encoding="utf-8")
    bad.write_text("번호,점수\n1,2\n", encoding="utf-8")
    call = Call(good, bad)
    with pytest.raises(UserError, match=r"b\.csv has no column for the text"):
        call.run()
    assert call.sender.records == []


def test_ctrl_c_says_what_was_sent():
    call = Call("-", stdin="하나\n둘\n셋\n", sender=Kept(KeyboardInterrupt(), at=2))
    assert call.run() == 130
    assert "Stopped at standard input, line 3.\n2 posts accepted" in call.said


def test_when_kafka_stays_away_it_is_said_what_was_sent():
    call = Call(
        "-", stdin="하나\n둘\n셋\n", sender=Kept(BrokerUnavailable("Kafka stopped taking posts."), at=1)
    )
    with pytest.raises(BrokerUnavailable):
        call.run()
    assert "Stopped at standard input, line 2.\n1 post accepted" in call.said


def test_fields_can_be_set_for_rows_that_lack_them():
    call = Call("-", stdin="산불\n", defaults=["source=twitter", "keywords=산불,등산"])
    call.run()
    assert call.values[0]["source"] == "twitter"
    assert call.values[0]["keywords"] == ["산불", "등산"]
    with pytest.raises(UserError, match="--set names sauce, which is no field of a post"):
        Call("-", defaults=["sauce=twitter"]).run()


def test_a_dry_run_sends_nothing():
    call = Call("-", stdin="산불\n", dry_run=True)
    assert call.run() == 0
    assert call.sender.records == []
    assert "1 post accepted, nothing was sent (dry run); 0 rejected." in call.said


def test_the_summary_for_programs():
    call = Call("-", stdin='{"text":"산불"}\n{bad\n', as_json=True)
    assert call.run() == 1
    facts = json.loads(call.said)
    assert (facts["accepted"], facts["rejected"], facts["stopped_at"]) == (1, 1, None)
    assert facts["first_rejected"][0]["line"] == 2


def test_what_strangers_wrote_does_not_steer_the_terminal():
    call = Call("-", stdin='{"text":"", "\\u001b]0;owned\\u0007 [red]":1}\n{"\\u001b[31mx":1}\n')
    call.run()
    assert "\x1b" not in call.said
    assert "\x07" not in call.said


@pytest.mark.parametrize("dry_run", [False, True])
def test_it_says_once_what_became_of_each_column(tmp_path, dry_run):
    path = tmp_path / "crawl.csv"
    path.write_text("번호,작성일,지역,내용\n1,2026-01-02,서울,좋아요\n2,2026-01-02,서울,나빠요\n")
    call = Call(path, dry_run=dry_run)
    call.run()
    assert call.noted.splitlines() == [f"{path}: id=번호 text=내용 created_at=작성일; passed through: 지역"]


def test_the_json_says_it_too_and_writes_korean_as_it_is(tmp_path):
    path = tmp_path / "crawl.jsonl"
    path.write_text('{"내용": "좋아요", "지역": "서울"}\n{"내용": " ", "지역": "부\\u202e산"}\n')
    call = Call(path, as_json=True)
    call.run()
    assert '"지역": "부\\u202e산"' in call.said
    facts = json.loads(call.said)
    assert facts["files"] == [{"file": str(path), "columns": {"text": "내용"}, "passed_through": ["지역"]}]


@pytest.mark.parametrize("content", ["", "내용,출처\n"])
def test_a_file_without_rows_is_named(tmp_path, content):
    path = tmp_path / "empty.csv"
    path.write_text(content)
    call = Call(path)
    assert call.run() == 0
    assert f"{path} has no rows." in call.noted.splitlines()


def test_prose_has_no_columns_to_tell_of():
    call = Call("-", stdin="숲길이 좋았어요\n")
    call.run()
    assert call.noted == ""


def test_a_field_that_there_is_not_cannot_be_set():
    with pytest.raises(UserError, match="likes, which is no field of a post; the fields are id, text"):
        Call("-", stdin="글\n", defaults=["likes=3"]).run()
