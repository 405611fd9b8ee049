"""`check` says for each thing what is wrong, and waits for a missing broker once."""

from nifos_stream import kafka
from nifos_stream.commands import check
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings, load


def test_topics_are_not_looked_at_where_kafka_did_not_answer(monkeypatch):
    asked = []

    def connect(_):
        asked.append("Kafka")
        raise UserError("No Kafka broker answered.")

    monkeypatch.setattr(kafka, "connect", connect)
    monkeypatch.setattr(check, "_redis", lambda _: "redis://here")
    monkeypatch.setattr(check, "_model", lambda _: "a model")
    found = {finding.name: (finding.ok, finding.facts) for finding in check.findings(Settings())}
    assert found == {
        "Kafka": (False, "No Kafka broker answered."),
        "topics": (False, "not looked at, as Kafka did not answer"),
        "alert rules": (True, "negative-surge, volume-surge, silent-source"),
        "Redis": (True, "redis://here"),
        "model": (True, "a model"),
    }
    assert asked == ["Kafka"]


def test_rules_that_read_further_back_than_counts_are_kept_are_told(monkeypatch):
    for name in ("_kafka", "_topics", "_watch_list", "_redis", "_model"):
        monkeypatch.setattr(check, name, lambda _: "")
    found = list(check.findings(Settings(counters={"retention": {"hours_days": 7}})))
    (wrong,) = (finding for finding in found if not finding.ok)
    assert wrong.name == "alert rules"
    assert "negative-surge needs counts by hour of the last 14.1 days, and they are kept for 7" in wrong.facts
    assert all(each.ok for each in check.findings(Settings(alerts={"rules": ()})))


def test_only_settings_that_differ_are_shown_and_no_secret():
    settings = Settings(
        kafka={"password": "hush-1", "properties": {"sasl.password": "hush-2"}},
        redis={"url": "redis://:hush-3@here:6379/0"},
        alerts={"webhooks": [{"url": "https://hooks.example/hush-4", "secret": "hush-5-hush"}]},
        topics={"posts": "my.posts"},
        web={"token": "hush-6-hush-hush-hush"},
    )
    shown = check.settings_in_use(settings)
    assert '"posts": "my.posts"' in shown
    assert "nifos.sentiment" not in shown
    assert "consumer_properties" not in shown
    assert "nifos.sentiment" in check.settings_in_use(settings, everything=True)
    for text in (shown, check.settings_in_use(settings, everything=True)):
        assert "hush" not in text


def test_defaults_are_said_to_be_defaults(tmp_path):
    config = tmp_path / "nifos.toml"
    config.touch()
    for settings in (Settings(), load(config)):
        assert check.settings_in_use(settings) == (
            "Every setting is the default (--all-settings shows them)."
        )
    assert '"partitions": 9' in check.settings_in_use(Settings(), everything=True)
