"""A person is told how to find the command, where the shell does not."""

from nifos_stream.local.environment import activation


def test_the_environment_is_named_where_the_shell_does_not_know_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = activation(str(tmp_path / ".venv"), "/usr", path=str(tmp_path))
    assert told == ". .venv/bin/activate"
    assert activation("/opt/nifos", "/usr", path=str(tmp_path)) == ". /opt/nifos/bin/activate"


def test_nothing_is_said_where_the_command_is_found(tmp_path):
    command = tmp_path / "nifos-stream"
    command.touch(0o755)
    assert activation("/opt/nifos", "/usr", path=str(tmp_path)) == ""
    assert activation("/usr", "/usr", path="") == ""
