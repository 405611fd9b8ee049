"""How unlikely a count is, as a score in standard deviations. Knows no rule and no time.

False alarms. A surge is looked for in S series (values, times metrics) at every minute, so in S × 10,080
windows a week. A line that chance crosses with the probability P in one window is crossed in at most
S × 10,080 × P windows a week, and as windows overlap, in fewer bouts than that. So for at most f false alarms
a week, P = f / (10,080 S), and the line is where a standard normal has P to its right. With f = 0.1:

    S      1        10       100      1,000
    P      1e-5     1e-6     1e-7     1e-8
    line   4.26     4.75     5.20     5.61

A rise to three times 21 posts in five minutes scores 7.3, one to three times 10 scores 4.9.
"""

import functools
import math
from statistics import NormalDist

MINUTES_PER_WEEK = 10_080
_NORMAL = NormalDist()


@functools.lru_cache(maxsize=1024)
def line(false_alarms_per_week: float, series: int) -> float:
    """The score that chance exceeds so often, where `series` are looked at each minute."""
    chance = false_alarms_per_week / (MINUTES_PER_WEEK * max(series, 1))
    return -_NORMAL.inv_cdf(min(chance, 0.5))


def count_score(count: int, expected: float, spread: float = 0.0, unsure: float = 0.0) -> float:
    """Score of `count` posts where `expected` are usual; 0 when there are no more than usual.

    The signed root of the Poisson deviance, at count − ½, which has the tail of a standard normal within a
    tenth even for small counts (McCullagh and Nelder 1989, section 2.4; Pierce and Schafer 1986). spread:
    relative deviation of the usual level from day to day, beyond Poisson. unsure: variance of the estimate
    `expected`, as a part of it.
    """
    seen = count - 0.5
    if seen <= expected:
        return 0.0
    deviance = 2 * (seen * math.log(seen / expected) - (seen - expected))
    return math.sqrt(deviance / (1 + unsure + spread**2 * expected))


def share_score(count: int, total: int, usual: float, spread: float = 0.0, unsure: float = 0.0) -> float:
    """Score of `count` among `total` posts where the part `usual` (above 0, below 1) is usual.

    As count_score, by the binomial deviance. spread: deviation of the usual part from day to day, beyond
    binomial. unsure: variance of the estimate, as a part of the binomial variance of this count.
    """
    seen = count - 0.5
    if total <= 0 or seen <= usual * total:
        return 0.0
    rest = total - seen
    deviance = 2 * (seen * math.log(seen / (usual * total)) + rest * math.log(rest / ((1 - usual) * total)))
    more = spread**2 * total / (usual * (1 - usual))
    return math.sqrt(deviance / (1 + unsure + more))
