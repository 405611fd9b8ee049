"""The command line answers at once, explains itself, and says in a sentence what is wrong."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from nifos_stream import __version__, kafka
from nifos_stream.cli import main
from nifos_stream.cli.app import app
from nifos_stream.commands import dead_letters
from nifos_stream.commands.dead_letters import RedriveResult


def run(*arguments, **environment):
    """The program as a person runs it, with an environment of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NIFOS_")}
    return subprocess.run(
        [sys.executable, "-m", "nifos_stream", *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_starts_without_loading_torch():
    code = "import sys, nifos_stream.cli; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_version_is_said():
    assert run("version").stdout == f"nifos-stream {__version__}\n"


def test_a_command_that_does_not_exist_is_exit_code_2():
    done = run("wrk")
    assert done.returncode == 2
    assert "worker" in done.stderr


@pytest.mark.parametrize("command", [["topics", "create"], ["worker"], ["dead-letters", "list"]])
def test_a_broker_that_cannot_be_reached_is_one_sentence_and_exit_code_2(command):
    done = run(
        *command,
        NIFOS_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:9",
        NIFOS_KAFKA__STARTUP_TIMEOUT_SECONDS="0.5",
        NIFOS_LOGS__LEVEL="error",
    )
    assert done.returncode == 2
    assert "No Kafka broker answered at 127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_setting_is_one_sentence_and_exit_code_2():
    done = run("topics", "create", NIFOS_KAFKA__BOOTSTRAP="x")
    assert done.returncode == 2
    assert done.stderr == (
        "nifos-stream: There is no setting kafka.bootstrap (did you mean kafka.bootstrap_servers?).\n"
    )


def test_debug_shows_the_traceback():
    done = run("--debug", "topics", "create", NIFOS_KAFKA__BOOTSTRAP="x")
    assert "Traceback" in done.stderr


def test_what_nobody_foresaw_is_one_sentence_too(monkeypatch, capsys):
    def fail():
        raise RuntimeError("two\x1b[2J\nlines")

    monkeypatch.setattr(sys.modules["nifos_stream.cli.app"], "app", fail)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "nifos-stream: RuntimeError: two[2J lines (--debug shows where).\n"


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (RedriveResult(sent=3, skipped=2), 0),
        (RedriveResult(sent=3, too_large=1), 1),
        (RedriveResult(unknown=1), 1),
        (RedriveResult(elsewhere=1), 1),
    ],
)
def test_a_redrive_that_left_letters_is_exit_code_1(monkeypatch, result, code):
    monkeypatch.setattr(dead_letters, "redrive", lambda *_, **__: result)
    done = CliRunner().invoke(app, ["dead-letters", "redrive", "--all"])
    assert (done.exit_code, done.stdout) == (code, result.sentence() + "\n")
    as_json = CliRunner().invoke(app, ["dead-letters", "redrive", "--all", "--json"])
    assert as_json.exit_code == code
    assert json.loads(as_json.stdout)["too_large"] == result.too_large


def test_a_file_in_which_nothing_was_mended_is_warned_of(monkeypatch, tmp_path):
    file = str(tmp_path / "letters.jsonl")
    monkeypatch.setattr(dead_letters, "redrive", lambda *_, **__: RedriveResult(sent=3))
    assert "None of them was mended" in CliRunner().invoke(app, ["dead-letters", "redrive", file]).stderr
    assert CliRunner().invoke(app, ["dead-letters", "redrive", "--all"]).stderr == ""
    monkeypatch.setattr(dead_letters, "redrive", lambda *_, **__: RedriveResult(sent=3, mended=1))
    done = CliRunner().invoke(app, ["dead-letters", "redrive", file])
    assert (done.stdout, done.stderr) == ("Sent 3 dead letters in again, 1 of them mended.\n", "")


def test_no_dead_letters_are_said_in_a_sentence(monkeypatch):
    monkeypatch.setattr(dead_letters, "list_letters", lambda *_, **__: iter(()))
    done = CliRunner().invoke(app, ["dead-letters", "list"])
    assert done.stdout == "There are no dead letters.\n"
    done = CliRunner().invoke(app, ["dead-letters", "list", "--reason", "not_json"])
    assert done.stdout == "There are no such dead letters.\n"
    assert CliRunner().invoke(app, ["dead-letters", "list", "--json"]).stdout == ""


def interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["tail"], 0), (["watch"], 0), (["tail", "--no-follow"], 130), (["watch", "--once"], 130)],
)
def test_ctrl_c_is_how_to_end_what_has_no_end_of_its_own(monkeypatch, arguments, code):
    monkeypatch.setattr("nifos_stream.commands.tail.tail", interrupted)
    monkeypatch.setattr("nifos_stream.watch.terminal.watch", interrupted)
    assert CliRunner().invoke(app, arguments).exit_code == code


def test_the_version_is_an_option_too():
    done = CliRunner().invoke(app, ["--version"])
    assert done.stdout == CliRunner().invoke(app, ["version"]).stdout == f"nifos-stream {__version__}\n"


def test_created_topics_are_one_line_of_json(monkeypatch):
    monkeypatch.setattr(kafka, "connect", lambda _: None)
    monkeypatch.setattr(kafka, "create_topics", lambda *_: {"nifos.posts": True, "nifos.keywords": False})
    done = CliRunner().invoke(app, ["topics", "create", "--json"])
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout) == {
        "nifos.posts": {"created": True, "retention_days": 14},
        "nifos.keywords": {"created": False, "retention_days": None},
    }
