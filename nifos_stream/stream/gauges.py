"""Write what the stage does into the metrics. Decides nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nifos_stream.errors import Reason
from nifos_stream.messages import LABELS
from nifos_stream.metrics import Metrics
from nifos_stream.stream.outbox import Outgoing

_MODEL_TOTALS = ("tokens", "padding_tokens", "chunks", "cache_lookups", "cache_hits")


class Gauges:
    """The metrics of one classifying stage."""

    def __init__(self, metrics: Metrics, *, batch_posts: int) -> None:
        """batch_posts: most posts that a batch may hold."""
        self._metrics = metrics
        self._batch_posts = batch_posts
        self._model_totals = dict.fromkeys(_MODEL_TOTALS, 0)
        self._lags: set[str] = set()
        self._restarts = 0
        # There from the start, at 0: Prometheus sees no increase in a sample that it meets first.
        for counter, values in (
            (metrics.posts_labelled, LABELS),
            (metrics.dead_letters, Reason),
            (metrics.batches, ("committed", "dropped")),
        ):
            for value in values:
                counter.labels(value)

    def opened(self, classifier: Any) -> None:
        """The stage is about to read, with this model."""
        info = classifier.info
        self._metrics.model_info.labels(
            name=info.name, revision=info.revision, device=classifier.device, dtype=classifier.dtype
        ).set(1)

    def forwarded(self, stats: Any, seconds: float) -> None:
        """A forward pass took `seconds`; stats: the model's running totals."""
        self._metrics.forward_seconds.observe(seconds)
        for name, before in self._model_totals.items():
            total = getattr(stats, name)
            getattr(self._metrics, name).inc(total - before)
            self._model_totals[name] = total

    def committed(self, messages: Sequence[Outgoing], seconds: float, restarts: int) -> None:
        """A batch was committed; restarts: producers discarded since the start."""
        metrics = self._metrics
        metrics.batches.labels(end="committed").inc()
        metrics.commit_seconds.observe(seconds)
        self._restarted(restarts)
        if not messages:
            return
        metrics.batch_posts.observe(len(messages))
        metrics.batch_fill.set(len(messages) / self._batch_posts)
        for label, count in Counter(message.label for message in messages).items():
            if label is not None:
                metrics.posts_labelled.labels(label=label).inc(count)
        for reason, count in Counter(message.reason for message in messages).items():
            if reason is not None:
                metrics.dead_letters.labels(reason=reason.value).inc(count)

    def dropped(self, restarts: int) -> None:
        """A batch came to nothing: its partitions are another worker's now."""
        self._metrics.batches.labels(end="dropped").inc()
        self._restarted(restarts)

    def lag(self, ends: Mapping[int, int], positions: Mapping[int, int], owned: Iterable[int]) -> None:
        """Where the owned partitions end, and up to where each was committed, or else read."""
        now_owned = {str(partition) for partition in owned}
        for partition in owned:
            if partition in ends:
                behind = max(0, ends[partition] - positions.get(partition, 0))
                self._metrics.lag.labels(partition=str(partition)).set(behind)
        for gone in self._lags - now_owned:
            self._metrics.lag.remove(gone)
        self._lags = now_owned & {str(partition) for partition in ends} | (self._lags & now_owned)
        self._metrics.partitions_owned.set(len(now_owned))

    def _restarted(self, restarts: int) -> None:
        self._metrics.producer_restarts.inc(restarts - self._restarts)
        self._restarts = restarts
