"""`worker`: the stages of one process, with health, metrics and signals."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from typing import Any

from confluent_kafka.admin import AdminClient

from nifos_stream import __version__, kafka, logs
from nifos_stream.alerts.teller import Words
from nifos_stream.commands import shadow as shadowing
from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from nifos_stream.probes import serve_probes
from nifos_stream.service import Service, stop_on_signals
from nifos_stream.settings import Settings
from nifos_stream.stage import Stage
from nifos_stream.supervised import Supervised

log = logs.get("worker")

_WATCH_LIST_SECONDS = 15.0
"""Longest that a worker waits for the watch list before it begins."""
_METRICS_SECONDS = 2.0


class Role(StrEnum):
    """Which stages a worker runs."""

    CLASSIFY = "classify"
    COUNT = "count"
    ALERT = "alert"
    ALL = "all"


def run_worker(settings: Settings, role: Role, until_idle_seconds: float | None = None) -> None:
    """Run the stages of `role` until a signal, or until idle for `until_idle_seconds`.

    UserError before anything is read when settings, topics or model do not hold; BrokerUnavailable when
    Kafka stays away later; PoisonStorm when nearly everything is bad and `until_idle_seconds` is given.
    """
    metrics = Metrics()
    metrics.build_info.labels(version=__version__).set(1)
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(stop_on_signals(stop))
        # Before the model is loaded, which takes longer.
        _check_topics(settings, role, kafka.connect(settings.kafka, told_to_stop=stop.is_set))
        stages = _stages(settings, role, metrics, stack, stop, ends_when_idle=until_idle_seconds is not None)
        service = Service(stages, metrics, until_idle_seconds=until_idle_seconds, stop=stop)
        if settings.http.listen is not None:
            port = stack.enter_context(serve_probes(settings.http.listen, service.health, metrics))
            log.info("http.listening", port=port)
        log.info("worker.started", role=role.value, version=__version__)
        service.run()
    log.info("worker.ended")


def _check_topics(settings: Settings, role: Role, admin: AdminClient) -> None:
    """UserError that names every topic which a stage of this role needs, and which is missing or has no room.

    The counting stage asks by itself: alone it needs to know no more than that its topic is there.
    """
    topics = settings.topics
    labelling = role in (Role.CLASSIFY, Role.ALL)
    alerting = role in (Role.ALERT, Role.ALL) and (settings.alerts.rules or settings.alerts.webhooks)
    needed = (topics.posts, topics.sentiment, topics.dead_letters) if labelling else ()
    alerts = (topics.alerts,) if alerting else ()
    if not needed + alerts:
        return
    facts = kafka.topic_facts(admin, needed + alerts)
    wrong = kafka.missing_or_tight(facts, settings) if labelling else []
    if wrong := wrong + kafka.missing(facts, alerts):
        raise UserError(" ".join(wrong))


def _stages(
    settings: Settings,
    role: Role,
    metrics: Metrics,
    stack: ExitStack,
    stop: threading.Event,
    *,
    ends_when_idle: bool,
) -> list[Stage]:
    """The stages of a role. The model is loaded only where posts are classified, and the watch list read."""
    stages: list[Stage] = []
    if role in (Role.CLASSIFY, Role.ALL):
        from nifos_stream.keywords.watch_list import WatchList
        from nifos_stream.model import load_model
        from nifos_stream.stream.worker import ClassifyStage

        # It is read while the model is loaded.
        watch_list = stack.enter_context(WatchList(settings, metrics))
        classifier = load_model(settings.model.path, settings=settings.model)
        watch_list.wait(_WATCH_LIST_SECONDS)
        options: dict[str, Any] = {"until_idle": ends_when_idle, "matched_keywords": watch_list.matched}
        if settings.shadow.path is not None:
            shadow = shadowing.stage(settings, settings.shadow.path, classifier.info, metrics)
            stages.append(shadow)
            options["observe"] = shadow.observe
        stages.append(ClassifyStage(settings, classifier, metrics, **options))
    if role in (Role.COUNT, Role.ALL):
        from nifos_stream.counters.view import CounterView

        stages.append(CounterView(settings, metrics, wait_for_redis=role is Role.ALL))
        if settings.http.listen is not None:
            _export_counts(settings, metrics, stack)
    if role in (Role.ALERT, Role.ALL):
        stages += _alerts(settings, metrics, stop, supervised=role is Role.ALL)
    return stages


def _alerts(settings: Settings, metrics: Metrics, stop: threading.Event, *, supervised: bool) -> list[Stage]:
    """One stage that evaluates, where there are rules, and one for each webhook.

    supervised: the worker has other work, which must not depend on them.
    """
    from nifos_stream.alerts.monitor import Monitor
    from nifos_stream.alerts.webhook import WebhookStage

    makers: list[Callable[[], Stage]] = []
    if settings.alerts.rules:
        # Words are found where kiwipiepy is installed, which the page needs too.
        words = partial(_words, settings, stop) if find_spec("kiwipiepy") is not None else None
        makers.append(partial(Monitor, settings, metrics, words=words))
    makers += [partial(WebhookStage, settings, webhook, metrics) for webhook in settings.alerts.webhooks]
    return [Supervised(make, metrics) if supervised else make() for make in makers]


def _words(settings: Settings, stop: threading.Event) -> Words:
    """What finds the words of the alerts of one minute."""
    from nifos_stream.watch.alert_words import AlertWords
    from nifos_stream.watch.snapshot import open_counts

    return AlertWords(open_counts(settings), stop=stop)


def _export_counts(settings: Settings, metrics: Metrics, stack: ExitStack) -> None:
    """Let metrics say what Redis counts; whoever asks for them must not wait long for it."""
    from nifos_stream.watch.exported import ExportedCounts
    from nifos_stream.watch.snapshot import open_counts

    seconds = min(_METRICS_SECONDS, settings.redis.timeout_seconds)
    redis = settings.redis.model_copy(update={"timeout_seconds": seconds})
    counts = stack.enter_context(open_counts(settings.model_copy(update={"redis": redis})))
    metrics.answer(ExportedCounts(counts))
