import pytest
import torch

from nifos_stream.errors import UserError
from nifos_stream.training import precision

CPU = torch.device("cpu")


def clock(*rounds: tuple[float, float]):
    """A clock under which a product in bf16 and one in fp32 take these seconds, round by round."""
    times = [0.0]
    for both in rounds:
        for one in both:
            times += [times[-1], times[-1] + one]
    ticks = iter(times[1:])
    return lambda: next(ticks)


@pytest.mark.parametrize(
    ("bf16_seconds", "fp32_seconds", "expected"),
    [(1.0, 3.0, "bf16"), (1.0, 1.1, "fp32"), (131.0, 1.0, "fp32")],
)
def test_bf16_is_taken_only_where_it_is_faster(bf16_seconds: float, fp32_seconds: float, expected: str):
    assert precision.chosen("auto", CPU, now=clock(*[(bf16_seconds, fp32_seconds)] * 3)) == expected


def test_whoever_is_disturbed_at_first_is_not_judged_by_it():
    slow, fast = (0.04, 0.04), (0.01, 0.03)
    assert precision.chosen("auto", CPU, now=clock(slow, slow, slow, slow, *[fast] * 20)) == "bf16"


def test_what_was_said_is_taken():
    assert precision.chosen("fp32", CPU) == "fp32"
    assert precision.chosen("bf16", CPU) == "bf16"


def test_a_device_that_is_not_there_is_one_sentence():
    assert precision.device_named("cpu") == CPU
    if not torch.cuda.is_available():
        assert precision.device_named("auto") == CPU
        with pytest.raises(UserError, match="CUDA"):
            precision.device_named("cuda")
