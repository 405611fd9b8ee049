"""`check`: is everything there that a worker needs? A line for each thing, a sentence for what is wrong."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nifos_stream import kafka
from nifos_stream.errors import NifosError, UserError
from nifos_stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: facts when it went well, else what is wrong."""

    name: str
    ok: bool
    facts: str


def settings_in_use(settings: Settings, *, everything: bool = False) -> str:
    """The settings that differ from the defaults, or everything, as JSON without secrets."""
    if everything:
        return settings.model_dump_json(indent=2)
    differing = _filled(settings.model_dump(mode="json", exclude_defaults=True))
    if not differing:
        return "Every setting is the default (--all-settings shows them)."
    return f"Settings that are not the defaults:\n{json.dumps(differing, indent=2, ensure_ascii=False)}"


def _filled(section: dict[str, Any]) -> dict[str, Any]:
    """Without sections in which nothing differs, and properties of which there are none."""
    filled = {name: _filled(value) if isinstance(value, dict) else value for name, value in section.items()}
    return {name: value for name, value in filled.items() if value != {}}


def findings(settings: Settings) -> Iterator[Finding]:
    """Check Kafka, topics, Redis and the model in turn; a check that cannot be made says why."""
    kafka_found = _found("Kafka", _kafka, settings)
    yield kafka_found
    if kafka_found.ok:
        yield _found("topics", _topics, settings)
        yield _found("watch list", _watch_list, settings)
    else:
        yield Finding("topics", False, "not looked at, as Kafka did not answer")
    if settings.alerts.rules:
        yield _found("alert rules", _alert_rules, settings)
    yield _found("Redis", _redis, settings)
    yield _found("model", _model, settings)


def _found(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, True, check(settings))
    except NifosError as error:
        return Finding(name, False, str(error))


def _kafka(settings: Settings) -> str:
    count = len(kafka.connect(settings.kafka).list_topics(timeout=10).brokers)
    return f"{count} broker{'s' * (count != 1)} at {settings.kafka.bootstrap_servers}"


def _topics(settings: Settings) -> str:
    topics = settings.topics
    names = [topics.posts, topics.sentiment, topics.dead_letters, topics.alerts, topics.keywords]
    facts = kafka.topic_facts(kafka.connect(settings.kafka), names)
    wrong = kafka.missing_or_tight(facts, settings)
    if settings.alerts.rules or settings.alerts.webhooks:
        wrong += kafka.missing(facts, (topics.alerts,))
    if wrong:
        raise UserError(" ".join(wrong))
    return ", ".join(f"{name} ({fact.partitions})" for name, fact in facts.items())


def _watch_list(settings: Settings) -> str:
    from nifos_stream.keywords import topic_list

    topic = settings.topics.keywords
    if topic not in kafka.topic_facts(kafka.connect(settings.kafka), [topic]):
        return f"none, as topic {topic} does not exist; `nifos-stream topics create` makes it"
    topic_list.refuse_forgetful(settings)
    return f"{len(topic_list.read(settings)):,} words in {topic}"


def _alert_rules(settings: Settings) -> str:
    from nifos_stream.alerts.reach import reach_of

    reach_of(settings)
    return ", ".join(rule.name for rule in settings.alerts.rules)


def _redis(settings: Settings) -> str:
    from nifos_stream.counters import connect

    url = settings.redis.url.get_secret_value()
    client = connect.wait_until_ready(
        url, settings.redis.timeout_seconds, settings.kafka.startup_timeout_seconds
    )
    client.close()
    return connect.shown(url)


def _model(settings: Settings) -> str:
    from nifos_stream.model import load_model

    classifier = load_model(settings.model.path, settings=settings.model)
    info = classifier.info
    return (
        f"{info.name} {info.revision} on {classifier.device} in {classifier.dtype}, {info.max_length} tokens"
    )
