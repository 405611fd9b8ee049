"""A worker process runs with the settings given, not with what lies around it."""

import os

from nifos_stream.local.worker import environment_of
from nifos_stream.settings import KafkaSettings, Settings, load


def test_the_worker_gets_the_given_settings_and_no_others(monkeypatch):
    monkeypatch.setenv("NIFOS_KAFKA__PROPERTIES", '{"security.protocol": "SASL_SSL"}')
    monkeypatch.setenv("NIFOS_CONFIG", "/nowhere.toml")
    monkeypatch.setenv("HOME", "/home/someone")
    settings = Settings(
        timezone="UTC",
        topics={"posts": "in"},
        stream={"delivery": "at_least_once"},
        model={"path": "./mine", "dtype": "fp32"},
        counters={"always_values": {"source": ["twitter"]}},
        redis={"url": "redis://:word@127.0.0.1:2/0"},
    ).model_copy(
        update={
            "kafka": KafkaSettings(
                bootstrap_servers="127.0.0.1:1",
                username="me",
                password="word",
                properties={"ssl.ca.pem": "x"},
            )
        }
    )
    environment = environment_of(settings)
    assert environment["HOME"] == "/home/someone"
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load() == settings
