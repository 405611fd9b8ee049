"""The rules that the README shows are rules."""

import tomllib
from pathlib import Path

import pytest

from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import SilenceRule, SurgeRule, ThresholdRule, Webhook

README = Path(__file__).parents[3] / "README.md"


def test_the_example_can_be_copied():
    (example,) = [
        block.partition("```")[0]
        for block in README.read_text(encoding="utf-8").split("```toml\n")[1:]
        if "[[alerts.rules]]" in block
    ]
    alerts = Settings(**tomllib.loads(example)).alerts
    assert [rule.kind for rule in alerts.rules] == ["surge", "threshold", "silence"]
    assert alerts.webhooks[0].secret is not None


@pytest.mark.parametrize("part", [SurgeRule, ThresholdRule, SilenceRule, Webhook])
def test_every_part_of_a_rule_is_named(part):
    section = README.read_text(encoding="utf-8").partition("## Alerts\n")[2].partition("\n## ")[0]
    assert [name for name in part.model_fields if name not in section] == []
