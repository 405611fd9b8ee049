"""How far back the rules read, and whether the counts are kept for so long. Reads no count."""

import math

from nifos_stream.alerts.numbers import DAY, HOUR, MINUTE
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from nifos_stream.settings.alerts import Rule, SilenceRule, SurgeRule

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
        if isinstance(rule, SurgeRule | SilenceRule):
            spare["1h"] = self._kept["1h"] - back - _HISTORY_EXTRA_SECONDS - rule.history_days * DAY
            spare["1d"] = self._kept["1d"] - back - (rule.min_days + 1) * DAY
        return spare

    def refuse_unreadable(self, rules: tuple[Rule, ...]) -> None:
        """UserError when a rule reads further back than the counts are kept: it could never be evaluated."""
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
        "1d": ("day", "days", DAY, "min_days", "DAYS_DAYS"),
    }[grain]
    tenths = math.ceil(10 * needed / seconds)
    return (
        f"Alert rule {rule.name} needs counts by {name} of the last {tenths / 10:g} {unit}, and they"
        f" are kept for {kept / seconds:g}; lower its {lower} or NIFOS_ALERTS__DELAY_MINUTES, or raise"
        f" NIFOS_COUNTERS__RETENTION__{setting}."
    )
