from nifos_stream.bench.latency import Waited


def test_a_rate_is_told_by_its_percentiles():
    waited = Waited(10.0, [float(number) for number in range(1, 201)])
    assert waited.facts() == {"p50_ms": 100.0, "p95_ms": 190.0, "p99_ms": 198.0}
