"""The comparison with other libraries runs, and finds that both said the same of the same posts."""

from nifos_stream.bench.place import Place
from nifos_stream.local.up import settings_for
from nifos_stream.settings import Settings
from tests.peers.benchmark import Options, benchmark


def test_the_pipeline_and_the_worker_label_the_same_posts_alike(stack, tmp_path):
    options = Options(posts=150, rounds=1, shape="tiny", only=("nifos-stream", "confluent-kafka"))
    said = []
    report = benchmark(options, Place(settings_for(stack, Settings()), tmp_path), said.append)
    assert report.facts["problems"] == []
    rows = {row["name"]: row for row in report.facts["contenders"]}
    assert set(rows) == {"nifos-stream", "confluent-kafka"}
    for row in rows.values():
        assert row["posts_per_s"] > 0
        assert row["same_labels"] > 0.97
    assert rows["confluent-kafka"]["ours_to_this"]["fp32"] > 0
