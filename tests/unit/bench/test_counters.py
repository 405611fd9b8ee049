import pytest

from nifos_stream.bench.counters import _kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("1h:1700000000", "bucket"),
        ("total", "bucket"),
        ("sample:1h:1700000000", "sample"),
        ("latest", "latest"),
        ("keys", None),
    ],
)
def test_keys_are_told_apart(name, kind):
    assert _kind(name.split(":")) == kind


def test_what_belongs_to_no_generation_is_left_out():
    assert _kind([]) is None
