"""`check` says for each thing what is wrong, and waits for a missing broker once."""

from nifos_stream import kafka
from nifos_stream.commands import check
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings


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
        "Redis": (True, "redis://here"),
        "model": (True, "a model"),
    }
    assert asked == ["Kafka"]
