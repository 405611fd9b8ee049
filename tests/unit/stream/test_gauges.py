import datetime as dt

import pytest

from nifos_stream.errors import Reason
from nifos_stream.messages import LABELS, ModelRef
from nifos_stream.metrics import Metrics
from nifos_stream.stream.gauges import Gauges
from nifos_stream.stream.outbox import Destination, Outbox
from tests.unit.stream.fakes import FakeClassifier, bad_row, batch, read, row


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def gauges(metrics):
    return Gauges(metrics, batch_posts=10)


def value(metrics, sample, **labels):
    return metrics.registry.get_sample_value(f"nifos_{sample}", labels)


def test_a_committed_batch_shows_by_label_and_reason(gauges, metrics):
    outbox = Outbox(
        events=Destination("sentiment", 1),
        letters=Destination("letters", 1),
        model=ModelRef(name="fake", revision="0123456789ab"),
        version="0.1.0",
        matched_keywords=lambda _post: (),
        utcnow=lambda: dt.datetime.now(dt.UTC),
    )
    rows = batch(row(0), bad_row(1), row(2), row(3, text="별로"))
    gauges.committed(outbox.address(rows, [read("좋"), read("좋"), read("별로")]), 0.2, restarts=1)
    assert value(metrics, "posts_labelled_total", label="positive") == 2
    assert value(metrics, "posts_labelled_total", label="negative") == 1
    assert value(metrics, "dead_letters_total", reason="not_json") == 1
    assert value(metrics, "batches_total", end="committed") == 1
    assert value(metrics, "batch_fill_ratio") == 0.4
    assert value(metrics, "commit_seconds_sum") == 0.2
    assert value(metrics, "producer_restarts_total") == 1


def test_offsets_alone_are_no_batch_of_posts(gauges, metrics):
    gauges.committed([], 0.1, restarts=0)
    assert value(metrics, "batch_posts_count") == 0
    assert value(metrics, "batches_total", end="committed") == 1


def test_restarts_are_counted_once(gauges, metrics):
    gauges.dropped(restarts=2)
    gauges.dropped(restarts=2)
    assert value(metrics, "producer_restarts_total") == 2
    assert value(metrics, "batches_total", end="dropped") == 2


def test_what_the_model_did_is_added_up(gauges, metrics):
    classifier = FakeClassifier()
    gauges.opened(classifier)
    for _ in range(2):
        classifier.finish(["abc", "de"])
        gauges.forwarded(classifier.stats, 0.5)
    assert value(metrics, "tokens_total") == 10
    assert value(metrics, "chunks_total") == 2
    assert value(metrics, "forward_seconds_sum") == 1.0
    labels = {"name": "fake", "revision": "0123456789ab", "device": "cpu", "dtype": "fp32"}
    assert value(metrics, "model_info", **labels) == 1


@pytest.mark.usefixtures("gauges")
def test_what_is_counted_by_labels_that_are_known_begins_at_0(metrics):
    """Prometheus would not see the first increase else."""
    assert {value(metrics, "dead_letters_total", reason=reason) for reason in Reason} == {0}
    assert {value(metrics, "posts_labelled_total", label=label) for label in LABELS} == {0}
    assert value(metrics, "batches_total", end="dropped") == 0
