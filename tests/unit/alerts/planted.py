"""A made-up series of counts with surges planted in it."""

import math
from dataclasses import dataclass

import numpy as np

from nifos_stream.alerts.recorded import Recorded
from nifos_stream.counters.shapes import Count

DAYS = 14
FIRST_SURGE_DAY = 4
SURGES = 20
SURGE_MINUTES = 30
BEGIN = 1_767_225_600


@dataclass(frozen=True)
class Planted:
    series: Recorded
    starts: list[int]


def planted(seed: int) -> Planted:
    """Posts by the minute over 14 days, Poisson, 14 to 26 a minute over the day, 30 % of them negative.

    In 20 stretches of 30 minutes there are three times the negatives. They begin at least an hour apart: a
    surge that follows on another at once belongs to the same alert.
    """
    random = np.random.default_rng(seed)
    minutes = np.arange(DAYS * 1440)
    rate = 20 + 6 * np.sin(2 * math.pi * minutes / 1440)
    starts: list[int] = []
    while len(starts) < SURGES:
        start = int(random.integers(FIRST_SURGE_DAY * 1440, len(minutes) - SURGE_MINUTES))
        if all(abs(start - other) >= 2 * SURGE_MINUTES for other in starts):
            starts.append(start)
    times = np.ones(len(minutes))
    for start in starts:
        times[start : start + SURGE_MINUTES] = 3
    labels = [random.poisson(rate * share).tolist() for share in (0.3 * times, 0.3, 0.4)]
    series = Recorded()
    for minute, counts in enumerate(zip(*labels, strict=True)):
        series.add(BEGIN + 60 * minute, Count(*counts), {})
    return Planted(series, [BEGIN + 60 * start for start in sorted(starts)])
