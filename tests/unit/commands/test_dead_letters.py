import base64
import datetime as dt
import json

import pytest
from rich.console import Console

from nifos_stream.commands.dead_letters import RedriveResult, list_letters, redrive, table
from nifos_stream.commands.letters import Kept
from nifos_stream.commands.mended import MendedFile, exact, shown
from nifos_stream.errors import UserError
from nifos_stream.messages import SEOUL, DeadLetter, Origin
from nifos_stream.settings import Settings
from nifos_stream.stream.codec import Letter

FAILED_AT = dt.datetime(2026, 5, 1, 9, 30, tzinfo=dt.UTC)
ORIGIN = Origin(topic="nifos.posts", partition=3, offset=41, timestamp=-1)


def kept(value: bytes | None, key: bytes | None = b"key", place=(0, 7)) -> Kept:
    return Kept(place, key, value, Letter((), "not_json", "It is not JSON.", ORIGIN, FAILED_AT, "1.0"))


def described(letter: Kept) -> DeadLetter:
    return DeadLetter(
        partition=letter.place[0],
        offset=letter.place[1],
        reason=letter.letter.reason,
        detail=letter.letter.detail,
        origin=letter.letter.origin,
        failed_at=letter.letter.failed_at,
        version=letter.letter.version,
        redriven=False,
        key=shown(letter.key),
        value=shown(letter.value),
        key_base64=exact(letter.key),
        value_base64=exact(letter.value),
    )


@pytest.fixture
def mended(tmp_path):
    """A file with one line for `letter`, changed by `changes`; None leaves a field out."""
    opened = []

    def write(letter: Kept, without=(), **changes):
        line = json.loads(described(letter).model_dump_json()) | changes
        path = tmp_path / "letters.jsonl"
        path.write_text(json.dumps({k: v for k, v in line.items() if k not in without}) + "\n")
        opened.append(MendedFile(path))
        return opened[-1]

    yield write
    for file in opened:
        file.close()


@pytest.mark.parametrize(
    "value", [b"text", b"\xff\xfe not UTF-8 \\xff", "본문".encode(), b"", None, b"a\x00\x1b"]
)
def test_a_letter_that_was_not_changed_is_sent_to_the_byte(mended, value):
    letter = kept(value)
    assert mended(letter).content(letter) == (b"key", value)


def test_a_changed_value_is_sent_in_place_of_the_message(mended):
    letter = kept(b"\xff")
    assert mended(letter, value='{"id": "1", "text": "본문"}').content(letter) == (
        b"key",
        '{"id": "1", "text": "본문"}'.encode(),
    )


def test_changed_base64_is_sent_when_the_text_was_not_changed(mended):
    letter = kept(b"broken")
    assert (
        mended(letter, value_base64=base64.b64encode(b"\x00\xff").decode()).content(letter)[1] == b"\x00\xff"
    )


def test_a_key_can_be_mended_or_taken_away(mended):
    letter = kept(b"x", key=b"\xff")
    assert mended(letter, key="k").content(letter) == (b"k", b"x")
    assert mended(letter, key=None).content(letter) == (None, b"x")


def test_a_field_that_was_left_out_is_as_it_was(mended):
    letter = kept(b"\xff")
    file = mended(letter, without=("value", "value_base64", "key", "key_base64", "origin", "failed_at"))
    assert file.same(letter)
    assert file.content(letter) == (b"key", b"\xff")


def test_text_and_base64_changed_to_the_same_are_one_change(mended):
    letter = kept(b"x")
    assert mended(letter, value="y", value_base64="eQ==").content(letter)[1] == b"y"


def test_text_and_base64_changed_to_different_contents_are_refused(mended):
    letter = kept(b"x")
    with pytest.raises(UserError, match=r"Line 1 of .*: value and value_base64 were both changed"):
        mended(letter, value="y", value_base64="eg==").content(letter)


def test_what_is_no_base64_is_refused(mended):
    letter = kept(b"x")
    with pytest.raises(UserError, match="value_base64 is not base64"):
        mended(letter, value_base64="!").content(letter)


def test_a_line_of_another_letter_at_the_same_place_is_not_taken_for_it(mended):
    assert not mended(kept(b"x"), failed_at="2026-05-01T09:30:01Z").same(kept(b"x"))
    assert not mended(kept(b"x"), origin={**ORIGIN.model_dump(), "offset": 42}).same(kept(b"x"))
    assert mended(kept(b"x")).same(kept(b"x"))


def test_lines_are_found_again_among_others(tmp_path):
    letters = [kept(f"값{i}".encode(), place=(i % 3, i)) for i in range(50)]
    path = tmp_path / "letters.jsonl"
    path.write_text("\n\n".join(described(letter).model_dump_json() for letter in letters), encoding="utf-8")
    file = MendedFile(path)
    assert file.places() == {letter.place for letter in letters}
    assert [file.content(letter)[1] for letter in reversed(letters)] == [k.value for k in reversed(letters)]
    file.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not JSON\n", "Line 1 of .* is no dead letter"),
        ('{"partition": 0, "offset": 1}\n{"offset": 1}\n', "Line 2 of .* is no dead letter"),
        (
            '{"partition": 0, "offset": 1, "value": {}}',
            "Line 1 of .*: value must be a text",
        ),
        ('{"partition": 0, "offset": 1}\n' * 2, "Line 2 of .* stands there already"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_before_anything_is_sent(tmp_path, content, said):
    path = tmp_path / "letters.jsonl"
    path.write_text(content)
    with pytest.raises(UserError, match=said):
        MendedFile(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"File .* cannot be read: No such file or directory\."):
        redrive(Settings(), file=tmp_path / "none")


def test_exactly_one_choice_of_letters_is_wanted():
    with pytest.raises(UserError, match="a file, --reason, or --all"):
        redrive(Settings())
    with pytest.raises(UserError, match="a file, --reason, or --all"):
        redrive(Settings(), everything=True, reason="not_json")


def test_a_reason_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(UserError, match=r"no reason 'no_such'; the reasons are empty_text, .*not_json"):
        list(list_letters(Settings(), reason="no_such"))


def test_a_message_cannot_steer_the_terminal_that_shows_it():
    console = Console(width=200, record=True, force_terminal=False)
    console.print(table([described(kept(b"\x1b[2J[red]danger\r\n" + b"x" * 100))], SEOUL))
    text = console.export_text()
    assert "\x1b" not in text
    assert r"\x1b[2J[red]danger\r\n" in text
    assert "0:7" in text


def test_headers_that_a_stranger_wrote_cannot_steer_it_either():
    letter = Letter(
        (), "[red]\x1b[2J", "", ORIGIN.model_copy(update={"topic": "[b]in\x1b"}), FAILED_AT, "1.0"
    )
    console = Console(width=200, record=True, force_terminal=False)
    console.print(table([described(Kept((0, 7), None, None, letter))], SEOUL))
    text = console.export_text()
    assert "\x1b" not in text
    assert r"[red]\x1b[2J" in text
    assert r"[b]in\x1b 3:41" in text


def test_a_narrow_terminal_cuts_nothing_that_chooses_letters():
    console = Console(width=80, record=True, force_terminal=False)
    console.print(table([described(kept(b"not a post"))], SEOUL))
    text = console.export_text()
    letter = kept(b"not a post").letter
    for part in ("0:7", letter.reason, f"{letter.failed_at.astimezone(SEOUL):%Y-%m-%d %H:%M}"):
        assert part in text


def test_a_result_says_only_what_happened():
    assert RedriveResult(sent=1).sentence() == "Sent 1 dead letter in again."
    assert RedriveResult(sent=3).sentence() == "Sent 3 dead letters in again."
    assert RedriveResult(sent=3, mended=2, skipped=1, unknown=4).sentence() == (
        "Sent 3 dead letters in again, 2 of them mended; 1 skipped, because they had been sent before;"
        " 4 not found in the dead-letter topic."
    )
