"""Medians, percentiles and alternating rounds. Knows nothing of what is measured."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

Name = TypeVar("Name")
SHORTEST_SECONDS = 2.0
"""What is over sooner says more of its start, and of what else ran, than of what is measured."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share`, in (0, 1], of the values do not exceed (nearest rank)."""
    if not values or not 0 < share <= 1:
        raise ValueError("a percentile needs values, and a share above 0 and up to 1")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def alternate(
    contestants: Mapping[Name, Callable[[], float]], rounds: int, say: Callable[[str], None]
) -> dict[Name, list[float]]:
    """Let each contestant measure itself once a round, in turn, so that whatever disturbs disturbs all."""
    found: dict[Name, list[float]] = {name: [] for name in contestants}
    for number in range(1, rounds + 1):
        say(f"round {number} of {rounds}")
        for name, measure in contestants.items():
            found[name].append(measure())
    return found


def ratio(measured: float, limit: float) -> float:
    """How much of a limit was reached, to three digits."""
    return round(measured / limit, 3)


def spread(values: Sequence[float]) -> str:
    """From the least to the most, in per cent of the median; of one value there is none."""
    if len(values) == 1:
        return "one round"
    middle = median(values)
    return f"{min(values) / middle - 1:+.0%} {max(values) / middle - 1:+.0%}"


def too_short(seconds: float, option: str) -> tuple[str, ...]:
    """One sentence when a round was over too soon to mean much, else none. option: what makes it longer."""
    if seconds >= SHORTEST_SECONDS:
        return ()
    return (f"Too short: a round took {seconds:.1f} s, so chance decides. Give more {option}.",)
