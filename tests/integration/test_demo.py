"""The demo runs the whole way by itself, and says at the end what became of every post."""

import io

import pytest

from nifos_stream.errors import NifosError
from nifos_stream.local import demo
from nifos_stream.local.demo import run_demo
from nifos_stream.settings import load
from tests.models import make_model_dir


def test_the_demo_labels_every_sample_post_and_the_counts_add_up(tmp_path):
    """`run_demo` raises when posts, labelled events and counts differ; the summary shows them."""
    out = io.StringIO()
    run_demo(load(overrides={"model": {"path": str(make_model_dir(tmp_path / "model"))}}), out=out)
    assert "2,400 posts in, 2,400 labelled, 0 dead letters, 2,400 counted" in out.getvalue()


def test_a_worker_that_cannot_start_ends_the_demo_with_its_last_words(tmp_path):
    settings = load(overrides={"model": {"path": str(tmp_path / "no-such-model")}})
    with pytest.raises(NifosError, match="no-such-model"):
        run_demo(settings, out=io.StringIO())


def test_a_demo_that_loses_a_post_or_counts_one_twice_would_say_so():
    from collections import Counter

    from nifos_stream.counters.reader import Count, Freshness, Total

    def outcome(posts, counted):
        seen = Total(Count(*counted), None, None, {}, Count(), Freshness(0, 0.1, 0, None, None))
        return demo.Outcome(posts, 0, Counter(negative=1, positive=2), 1.0, seen)

    assert outcome(3, (1, 0, 2)).problem() is None
    assert "4 posts became 3 labelled" in outcome(4, (1, 0, 2)).problem()
    assert "were counted" in outcome(3, (1, 0, 3)).problem()
