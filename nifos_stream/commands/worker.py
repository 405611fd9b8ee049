"""`worker`: the stages of one process, with health, metrics and signals."""

import threading
from contextlib import ExitStack
from enum import StrEnum
from typing import Any

from nifos_stream import __version__, kafka, logs
from nifos_stream.commands import shadow as shadowing
from nifos_stream.metrics import Metrics
from nifos_stream.probes import serve_probes
from nifos_stream.service import Service, stop_on_signals
from nifos_stream.settings import Settings
from nifos_stream.stage import Stage

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
        kafka.connect(settings.kafka, told_to_stop=stop.is_set)
        stages = _stages(settings, role, metrics, stack, ends_when_idle=until_idle_seconds is not None)
        service = Service(stages, metrics, until_idle_seconds=until_idle_seconds, stop=stop)
        if settings.http.listen is not None:
            port = stack.enter_context(serve_probes(settings.http.listen, service.health, metrics))
            log.info("http.listening", port=port)
        log.info("worker.started", role=role.value, version=__version__)
        service.run()
    log.info("worker.ended")


def _stages(
    settings: Settings, role: Role, metrics: Metrics, stack: ExitStack, *, ends_when_idle: bool
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
        stages += _alerts(settings, metrics)
    return stages


def _alerts(settings: Settings, metrics: Metrics) -> list[Stage]:
    """One stage that evaluates, where there are rules, and one for each webhook."""
    from nifos_stream.alerts.monitor import Monitor
    from nifos_stream.alerts.webhook import WebhookStage

    stages: list[Stage] = [Monitor(settings, metrics)] if settings.alerts.rules else []
    return stages + [WebhookStage(settings, webhook, metrics) for webhook in settings.alerts.webhooks]


def _export_counts(settings: Settings, metrics: Metrics, stack: ExitStack) -> None:
    """Let metrics say what Redis counts; whoever asks for them must not wait long for it."""
    from nifos_stream.watch.exported import ExportedCounts
    from nifos_stream.watch.snapshot import open_counts

    seconds = min(_METRICS_SECONDS, settings.redis.timeout_seconds)
    redis = settings.redis.model_copy(update={"timeout_seconds": seconds})
    counts = stack.enter_context(open_counts(settings.model_copy(update={"redis": redis})))
    metrics.answer(ExportedCounts(counts))
