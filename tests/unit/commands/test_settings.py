"""The list of settings is made from the settings, and the README holds it."""

from pathlib import Path

from nifos_stream.commands.settings import table

README = Path(__file__).parents[3] / "README.md"


def test_every_setting_has_a_meaning():
    rows = table().splitlines()[2:]
    assert len(rows) > 40
    assert all(row.count("|") >= 4 and not row.endswith("|  |") for row in rows)


def test_the_readme_holds_the_settings_as_they_are():
    assert table() in README.read_text(encoding="utf-8"), (
        "run `nifos-stream settings` and put it into README.md"
    )
