"""How far back the rules read, and whether the counts are kept for so long. Reads no count."""

import math

from nifos_stream.alerts.evaluator import days_back
from nifos_stream.alerts.numbers import DAY, HOUR, MINUTE
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import Rule, SilenceRule, SurgeRule, ThresholdRule

MOST_MISSED_SECONDS = DAY
"""What was missed longer ago is left out, though it could be read."""
_MARGIN_SECONDS = 10 * MINUTE
"""Longest that a minute may take to be evaluated: what is read must not expire meanwhile."""
_HISTORY_EXTRA_SECONDS = 2 * HOUR
"""A usual level is read from whole hours, from the middle of one to the middle of the next."""


class Reach:
    """How long ago a minute may have ended and still be evaluated, by all rules."""

    def __init__(self, settings: Settings) -> None:
        self._late_seconds = settings.alerts.delay_minutes * MINUTE + settings.alerts.settle_seconds
        self._kept = settings.counters.retention.seconds()
        spare = [min(self._spare(rule).values()) for rule in settings.alerts.rules]
        self.readable_seconds = int(min(spare, default=self._kept["1m"]))
        """Before the newest minute that can be evaluated."""
        self.evaluated_seconds = min(MOST_MISSED_SECONDS, self.readable_seconds)
        """The same of minutes in which alerts may begin."""

    def _spare(self, rule: Rule) -> dict[str, float]:
        """By grain, how much longer counts are kept than the newest minute needs."""
        back = rule.window_minutes * MINUTE + self._late_seconds + _MARGIN_SECONDS
        spare = {"1m": self._kept["1m"] - back}
        days = days_back(rule)
        if isinstance(rule, SurgeRule | SilenceRule):
            spare["1h"] = self._kept["1h"] - back - _HISTORY_EXTRA_SECONDS - days * DAY
        if days:
            # Which values there were is read by day, from a whole hour on.
            spare["1d"] = self._kept["1d"] - self._late_seconds - _MARGIN_SECONDS - HOUR - days * DAY
        return spare

    def refuse_unreadable(self, rules: tuple[Rule, ...]) -> None:
        """UserError when a rule reads further back than the counts are kept.

        By minute and by hour it could never be evaluated; by day it would know fewer days than it says.
        """
        for rule in rules:
            for grain, spare in self._spare(rule).items():
                if spare < 0:
                    raise UserError(_refusal(rule, grain, self._kept[grain], self._kept[grain] - spare))


def reach_of(settings: Settings) -> Reach:
    """How far back the rules of the settings read. UserError when the counts are not kept for so long."""
    reach = Reach(settings)
    reach.refuse_unreadable(settings.alerts.rules)
    return reach


def _refusal(rule: Rule, grain: str, kept: float, needed: float) -> str:
    name, unit, seconds, lower, setting = {
        "1m": ("minute", "hours", HOUR, "window_minutes", "MINUTES_HOURS"),
        "1h": ("hour", "days", DAY, "history_days", "HOURS_DAYS"),
        "1d": ("day", "days", DAY, "history_days", "DAYS_DAYS"),
    }[grain]
    by_name = grain == "1d" and isinstance(rule, ThresholdRule)
    mend = "name its values, lower" if by_name else f"lower its {lower} or"
    tenths = math.ceil(10 * needed / seconds)
    return (
        f"Alert rule {rule.name} needs counts by {name} of the last {tenths / 10:g} {unit}, and they"
        f" are kept for {kept / seconds:g}; {mend} NIFOS_ALERTS__DELAY_MINUTES, or raise"
        f" NIFOS_COUNTERS__RETENTION__{setting}."
    )
