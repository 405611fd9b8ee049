"""Whether a rule holds for one value in one window. Knows no state and no clock.

Surge thresholds follow from how many false alarms are allowed: see score.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nifos_stream.alerts.history import Usual, amount
from nifos_stream.alerts.score import count_score, share_score
from nifos_stream.counters.shapes import Count
from nifos_stream.settings.alerts import Metric, SilenceRule, SurgeRule, ThresholdRule

Evidence = Mapping[str, float | int | str | None]
_CALM_PART = 0.5
"""A surge is over below this part of the score that it began with."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """over: the rule holds. calm: it clearly does not any more. weight: which of several matters most."""

    metric: Metric
    over: bool
    calm: bool
    weight: float = 0.0
    evidence: Evidence = field(default_factory=dict)


def surge(
    rule: SurgeRule, metric: Metric, count: Count, usual: Usual, line: float, *, is_open: bool = False
) -> Verdict | None:
    """Hold a window against what is usual. line: the score that chance hardly exceeds.

    None where there is so little that no score would matter; an open alert is always judged.
    """
    seen, total = amount(count, metric), count.total
    share = metric.endswith("_share")
    ratio = _odds(seen / max(total, 1)) / _odds(usual.level) if share else seen / usual.level
    enough = seen >= rule.min_count and ratio >= rule.min_ratio
    if not enough and not is_open:
        return None
    if share:
        score = share_score(seen, total, usual.level, usual.spread, usual.unsure)
    else:
        score = count_score(seen, usual.level, usual.spread, usual.unsure)
    evidence = {
        "usual": round(usual.level, 4),
        "ratio": round(min(ratio, 1e6), 2),
        "score": round(score, 2),
        "line": round(line, 2),
        "days": usual.days,
    }
    calm = score < _CALM_PART * line
    return Verdict(metric, enough and score >= line, calm, score / line, evidence)


def threshold(rule: ThresholdRule, count: Count) -> Verdict:
    """Hold a number, or a share, against the line; of too few posts it crosses none, and is calm."""
    seen, total = amount(count, rule.metric), count.total
    number = (seen / total if total else 0.0) if rule.is_share() else float(seen)
    enough = total >= max(rule.fewest_posts(), 1 if rule.is_share() else 0)
    clears_at = rule.clears_at()
    if rule.above is not None:
        over, calm, line = number > rule.above, number <= clears_at, rule.above
    else:
        line = rule.below or 0.0
        over, calm = number < line, number >= clears_at
    return Verdict(
        rule.metric, over and enough, calm or not enough, evidence={"number": round(number, 4), "line": line}
    )


def silence(rule: SilenceRule, count: Count, usual: Usual | None) -> Verdict:
    """Look for nothing where there usually is something. usual: in posts; None where that is not known."""
    expected = usual.level if usual is not None else 0.0
    enough = not rule.min_expected or (usual is not None and expected >= rule.min_expected)
    evidence: Evidence = {} if usual is None else {"usual": round(expected, 2), "days": usual.days}
    return Verdict("posts", count.total == 0 and enough, count.total > 0, evidence=evidence)


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else 1e6
