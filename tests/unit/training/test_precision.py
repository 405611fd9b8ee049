import pytest
import torch

from nifos_stream.errors import UserError
from nifos_stream.training import precision

CPU = torch.device("cpu")


def clock(*seconds: float):
    """A clock under which products take these seconds, in turn: the first kind first."""
    times = [0.0]
    for one in seconds:
        for _ in range(precision._TRIES):
            times += [times[-1], times[-1] + one]
    ticks = iter(times[1:])
    return lambda: next(ticks)


@pytest.mark.parametrize(
    ("bf16_seconds", "fp32_seconds", "expected"),
    [(1.0, 3.0, "bf16"), (1.0, 1.1, "fp32"), (131.0, 1.0, "fp32")],
)
def test_bf16_is_taken_only_where_it_is_faster(bf16_seconds: float, fp32_seconds: float, expected: str):
    assert precision.chosen("auto", CPU, now=clock(bf16_seconds, fp32_seconds)) == expected


def test_what_was_said_is_taken():
    assert precision.chosen("fp32", CPU) == "fp32"
    assert precision.chosen("bf16", CPU) == "bf16"


def test_a_device_that_is_not_there_is_one_sentence():
    assert precision.device_named("cpu") == CPU
    if not torch.cuda.is_available():
        assert precision.device_named("auto") == CPU
        with pytest.raises(UserError, match="CUDA"):
            precision.device_named("cuda")
