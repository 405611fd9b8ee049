"""Settings come from arguments, environment and a TOML file, and what is wrong is said in a sentence."""

import pytest
from pydantic import ValidationError

from nifos_stream.errors import UserError
from nifos_stream.settings import REFUSED_PROPERTIES, load
from nifos_stream.settings.alerts import AlertSettings, SilenceRule, SurgeRule, ThresholdRule


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("NIFOS_"):
            monkeypatch.delenv(name)


def test_a_variable_names_a_setting_in_its_section(monkeypatch):
    monkeypatch.setenv("NIFOS_KAFKA__BOOTSTRAP_SERVERS", "broker:9092")
    assert load().kafka.bootstrap_servers == "broker:9092"


def test_arguments_win_over_variables_and_variables_over_the_file(monkeypatch, tmp_path):
    file = tmp_path / "nifos.toml"
    file.write_text(
        'timezone = "UTC"\n[topics]\nposts = "from-file"\nsentiment = "from-file-too"\npartitions = 3\n'
    )
    monkeypatch.setenv("NIFOS_TOPICS__POSTS", "from-variable")
    monkeypatch.setenv("NIFOS_TOPICS__SENTIMENT", "from-variable-too")
    settings = load(file, {"topics": {"posts": "from-argument"}})
    assert settings.topics.posts == "from-argument"
    assert settings.topics.sentiment == "from-variable-too"
    assert settings.topics.partitions == 3
    assert settings.timezone == "UTC"


def test_nifos_config_names_the_file(monkeypatch, tmp_path):
    file = tmp_path / "nifos.toml"
    file.write_text("[topics]\npartitions = 5\n")
    monkeypatch.setenv("NIFOS_CONFIG", str(file))
    assert load().topics.partitions == 5


@pytest.mark.parametrize("name", sorted(REFUSED_PROPERTIES))
@pytest.mark.parametrize("where", ["properties", "consumer_properties", "producer_properties"])
def test_a_property_that_the_promises_rest_on_is_refused_by_name(name, where):
    with pytest.raises(UserError, match=f"{name} cannot be set"):
        load(overrides={"kafka": {where: {name: "1"}}})


def test_any_other_property_is_passed_through():
    settings = load(overrides={"kafka": {"properties": {"ssl.ca.location": "/etc/ca.pem"}}})
    assert settings.kafka.properties == {"ssl.ca.location": "/etc/ca.pem"}


@pytest.mark.parametrize(
    "variable",
    ["NIFOS_KAFKA__PROPERTIES", "NIFOS_COUNTERS__DIMENSIONS", "NIFOS_ALERTS__WEBHOOKS", "NIFOS_REDIS"],
)
def test_a_list_or_table_that_is_not_json_is_named(monkeypatch, variable):
    monkeypatch.setenv("NIFOS_TIMEZONE", "Asia/Seoul")
    monkeypatch.setenv(variable, "source, channel")
    with pytest.raises(UserError, match=rf"^Environment variable {variable} is not JSON, such as .+\.$"):
        load()


def test_secrets_are_not_shown():
    settings = load(overrides={"kafka": {"password": "hunter2"}, "redis": {"url": "redis://:hunter2@h:1/0"}})
    assert "hunter2" not in settings.model_dump_json()
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("NIFOS_KAKFA__USERNAME", "x", r"sets nothing that exists \(did you mean NIFOS_KAFKA__USERNAME\?\)"),
        ("NIFOS_WEB__LISTEN", "18099", "web.listen: '18099' is not HOST:PORT, such as 127.0.0.1:8080"),
        ("NIFOS_WEB__TOKEN", "wald", "web.token: Value should have at least 8 characters, not 4"),
        (
            "NIFOS_KAFKA__BOOTSTRAP",
            "x",
            r"no setting kafka.bootstrap \(did you mean kafka.bootstrap_servers\?\)",
        ),
        ("NIFOS_TOPICS__PARTITIONS", "many", "topics.partitions"),
        ("NIFOS_TIMEZONE", "Mars/Olympus", "is not a time zone"),
        ("NIFOS_CONFIG", "/does/not/exist.toml", "cannot be read"),
        ("NIFOS_HTTP__LISTEN", "9100", "http.listen"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch, variable, value, sentence):
    monkeypatch.setenv(variable, value)
    with pytest.raises(UserError, match=sentence):
        load()


def test_a_file_that_is_not_toml_is_named(tmp_path):
    file = tmp_path / "nifos.toml"
    file.write_text("partitions: 3")
    with pytest.raises(UserError, match="is not TOML"):
        load(file)


def test_two_topics_cannot_have_one_name():
    with pytest.raises(UserError, match="two topics have the same name"):
        load(overrides={"topics": {"posts": "a", "sentiment": "a"}})


def test_no_secret_is_shown_with_the_settings():
    properties = {"sasl.password": "hunter2", "ssl.key.pem": "hunter2", "linger.ms": 7}
    kafka = {"password": "hunter2", "properties": properties, "producer_properties": properties}
    settings = load(overrides={"kafka": kafka, "redis": {"url": "redis://:hunter2@redis/0"}})
    shown = settings.model_dump_json()
    assert "hunter2" not in shown
    assert '"linger.ms":7' in shown
    assert settings.kafka.properties["sasl.password"] == "hunter2"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: ThresholdRule(name="x"), "one of above and below"),
        (lambda: ThresholdRule(name="x", above=40), "between 0 and 1"),
        (lambda: ThresholdRule(name="x", above=0.4, clear=0.5), "calm side"),
        (lambda: ThresholdRule(name="x", metric="posts", below=20, min_posts=20), "cross no line"),
        (lambda: ThresholdRule(name="x", metric="posts", below=0), "greater than 0"),
        (lambda: SilenceRule(name="x", dimensions=("source",), min_expected=0), "must be named"),
        (lambda: SurgeRule(name="x", history_days=3, min_days=4), "more than history_days"),
        (lambda: AlertSettings(rules=[SurgeRule(name="x")] * 2), "same name"),
        (lambda: AlertSettings(webhooks=[{"url": "http://a/", "rules": ["y"]}]), "not there: y"),
        (lambda: AlertSettings(webhooks=[{"url": "ftp://a/"}]), "URL scheme"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(made, said):
    with pytest.raises(ValidationError, match=said):
        made()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('kind = "threshold"\nabove = 0.4\nbelow = 0.1', "rule mine: a threshold rule has one of"),
        (
            'kind = "surge"\nwindow_minute = 3',
            r"rule mine: there is no setting window_minute \(did you mean window_minutes\?\)",
        ),
        ('kind = "surges"', "rule mine: its kind is one of surge, threshold, silence"),
        ('kind = "silence"\nwindow_minutes = 0', "rule mine: window_minutes: Input should be greater"),
    ],
)
def test_the_error_of_an_alert_rule_names_the_rule(tmp_path, rule, said):
    path = tmp_path / "nifos.toml"
    path.write_text(f'[[alerts.rules]]\nname = "mine"\n{rule}\n')
    with pytest.raises(UserError, match=said):
        load(path)
