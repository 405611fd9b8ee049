"""Every metric of the program, with its kind and meaning. Nothing else declares one."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


Answers = dict[str, dict[tuple[str, ...], float]]
"""Samples by name of a metric and the values of its labels."""
_ANSWERED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "window_posts": ("Posts of the last 5m, 1h or 24h as they are counted in Redis.", ("window", "label")),
    "window_source_posts": (
        "The same by source: the 20 largest, and what is left as (other).",
        ("window", "source", "label"),
    ),
    "window_keyword_posts": (
        "The same by keyword: the 20 largest. A post may have several.",
        ("window", "keyword", "label"),
    ),
}
"""Meaning and labels of the metrics that are read when they are asked for."""


class Metrics:
    """The metrics of one process, in a registry of their own, so that two workers in one test stay apart."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()

        # The classifying stage.
        self.posts_read = self._counter("posts_read", "Records read from the input topic, good or bad.")
        self.posts_labelled = self._counter("posts_labelled", "Labelled posts committed, by label.", "label")
        self.dead_letters = self._counter("dead_letters", "Dead letters committed, by reason.", "reason")
        self.posts_lost = self._counter(
            "posts_lost", "Input records trimmed by the broker before they were read."
        )
        self.batches = self._counter("batches", "Batches by how they ended: committed or dropped.", "end")
        self.batch_posts = self._histogram(
            "batch_posts", "Records of one committed batch.", (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)
        )
        self.batch_fill = self._gauge(
            "batch_fill_ratio", "Records of the last batch / most that it may hold."
        )
        self.commit_seconds = self._histogram("commit_seconds", "From beginning a transaction to its commit.")
        self.producer_restarts = self._counter(
            "producer_restarts", "Producers discarded after an unclear commit."
        )
        self.lag = self._gauge(
            "lag_messages", "Input records not yet committed, by partition; reaches 0.", "partition"
        )
        self.partitions_owned = self._gauge("partitions_owned", "Input partitions that this worker owns.")
        self.storm = self._gauge(
            "poison_storm", "1 while reading is stopped because nearly all messages are bad."
        )

        # The watch list.
        self.watch_words = self._gauge("watch_words", "Words of the watch list that posts are searched for.")
        self.watch_list_up = self._gauge("watch_list_up", "1 while the watch list is read from its topic.")

        # The model.
        self.forward_seconds = self._histogram("forward_seconds", "Forward pass of one batch.")
        self.tokens = self._counter("tokens", "Tokens of all texts read, remembered ones included.")
        self.padding_tokens = self._counter(
            "padding_tokens", "Padding rows computed; 0 with the packed pass."
        )
        self.chunks = self._counter("chunks", "Forward passes.")
        self.cache_lookups = self._counter("cache_lookups", "Texts looked up among remembered labels.")
        self.cache_hits = self._counter("cache_hits", "Texts whose label was remembered.")
        self.model_info = self._gauge(
            "model_info", "1 for the model in use.", "name", "revision", "device", "dtype"
        )

        # A second model beside it, whose labels are not published.
        self.shadow_up = self._gauge(
            "shadow_up", "1 while the second model reads; 0 before, and once it failed."
        )
        self.shadow_info = self._gauge("shadow_info", "1 for the second model.", "name", "revision")
        self.shadow_texts = self._counter(
            "shadow_texts", "Texts that both models labelled, by either's label.", "first", "shadow"
        )
        self.shadow_difference = self._histogram(
            "shadow_difference",
            "Mean distance of the two models' probabilities of one text.",
            (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
        )
        self.shadow_dropped = self._counter(
            "shadow_dropped", "Sampled texts that the second model did not read: it had no time, or failed."
        )
        self.shadow_unread = self._counter(
            "shadow_unread", "Sampled texts to which the second model gave no label."
        )
        self.shadow_cost_texts = self._counter(
            "shadow_cost_texts", "Texts of the forward passes timed below: first or shadow.", "model"
        )
        self.shadow_cost_seconds = self._counter(
            "shadow_cost_seconds", "Seconds of those forward passes.", "model"
        )

        # The counter view.
        self.events_counted = self._counter("events_counted", "Labelled events added to the counts.")
        self.events_lost = self._counter("events_lost", "Labelled events trimmed before they were counted.")
        self.events_skipped = self._counter(
            "events_skipped", "Records of the labelled topic that are no events of ours.", "reason"
        )
        self.future_events = self._counter("future_events", "Events whose own date was not believed.")
        self.counts_behind = self._gauge("counts_behind_events", "Labelled events not yet counted.")
        self.counts_behind_seconds = self._gauge(
            "counts_behind_seconds", "Age of the counts' last known level."
        )
        self.apply_seconds = self._histogram("apply_seconds", "One call that counts a batch in Redis.")
        self.apply_refused = self._counter(
            "apply_refused", "Calls refused because the position differed.", "why"
        )
        self.redis_up = self._gauge("redis_up", "1 while Redis answers the counter view.")

        # The alerts.
        self.alerts = self._counter("alerts", "Alerts published: begun or ended, by rule.", "rule", "what")
        self.alerts_open = self._gauge(
            "alerts_open", "Alerts that are open; only of the worker that evaluates the rules.", "rule"
        )
        self.alerts_leading = self._gauge("alerts_leading", "1 where the rules are evaluated.")
        self.webhook_posts = self._counter(
            "webhook_posts", "Messages to webhooks: delivered, retried or given_up.", "webhook", "end"
        )

        # The process.
        self.stage_restarts = self._counter(
            "stage_restarts", "Stages begun again after they failed, while the others went on.", "stage"
        )
        self.stage_well = self._gauge(
            "stage_well", "1 while a stage is well that the others go on without.", "stage"
        )
        self.healthy = self._gauge("healthy", "1 while every stage is well that the worker needs.")
        self.build_info = self._gauge("build_info", "1 for the version that runs.", "version")

    def answer(self, read: Callable[[], Answers]) -> None:
        """Ask `read` for the counts in Redis whenever metrics are asked for; what it lacks has no samples."""
        self.registry.register(_Answered(read))

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"nifos_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"nifos_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
        return Histogram(f"nifos_{name}", meaning, buckets=buckets, registry=self.registry)


class _Answered(Collector):
    """Metrics whose samples are read when they are asked for."""

    def __init__(self, read: Callable[[], Answers]) -> None:
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Their names, so that nothing has to be read for them."""
        return (GaugeMetricFamily(f"nifos_{name}", meaning) for name, (meaning, _) in _ANSWERED.items())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Their samples as of now."""
        answers = self._read()
        for name, (meaning, labels) in _ANSWERED.items():
            family = GaugeMetricFamily(f"nifos_{name}", meaning, labels=labels)
            for values, value in answers.get(name, {}).items():
                family.add_metric(values, value)
            yield family
