"""Events of alerts that began or ended, with what people want to see beside numbers. Publishes nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from nifos_stream import logs
from nifos_stream.alerts import gaps
from nifos_stream.alerts.event import kinds, left_out_of, to_event
from nifos_stream.alerts.examples import examples, label_of
from nifos_stream.alerts.gaps import Gap
from nifos_stream.alerts.machine import Alert
from nifos_stream.counters.reader import Counts
from nifos_stream.errors import NifosError, UserError
from nifos_stream.messages import AlertEvent
from nifos_stream.settings import Settings

_log = logs.get(__name__)


class Words(Protocol):
    """Finds the words that set the posts of alerts apart."""

    def find(self, alert: Alert) -> Mapping[str, object]:
        """The words, and how many posts they rest on. NifosError when they cannot be had."""

    def close(self) -> None:
        """Nothing is looked for any more."""


class Teller:
    """Of the rules of the settings. counts: where posts are taken from. words: opens what finds words."""

    def __init__(self, counts: Counts, settings: Settings, words: Callable[[], Words] | None = None) -> None:
        self._counts = counts
        self._zone = settings.zone
        self._kinds = kinds(settings.alerts.rules)
        self._open_words = words
        self._words: Words | None = None

    def event(self, alert: Alert, begun: AlertEvent | None, left_out: Sequence[Gap] = ()) -> AlertEvent:
        """The event of an alert, with words and some posts of its beginning, if they can be had.

        begun: the event of its beginning, of one that ended. left_out: minutes that could not be evaluated;
        said of an alert that was open then.
        """
        more: Mapping[str, object]
        if begun is None:
            more = {**self._drivers(alert), "posts": self._posts(alert)}
        else:
            seen = begun.evidence
            drivers = {"drivers": seen["drivers"]} if "drivers" in seen else {}
            more = {**drivers, "posts": seen.get("posts", [])}
            if (unseen := gaps.whole(gaps.during(left_out, alert.started_at))) is not None:
                more = {**more, **left_out_of(unseen, self._zone)}
        kind = self._kinds[alert.subject.rule] if begun is None else begun.kind
        return to_event(replace(alert, evidence={**alert.evidence, **more}), kind, self._zone)

    def rest(self) -> None:
        """Let go of what found words: nothing is told for now."""
        if self._words is not None:
            self._words.close()
            self._words = None

    def _drivers(self, alert: Alert) -> Mapping[str, object]:
        if self._open_words is None or label_of(alert) is None:
            return {}
        try:
            self._words = self._words or self._open_words()
            return {"drivers": self._words.find(alert)}
        except NifosError as error:
            _log.warning("alerts.without_words", detail=str(error))
            return {}

    def _posts(self, alert: Alert) -> list[Mapping[str, object]]:
        try:
            return examples(self._counts, alert)
        except UserError as error:
            _log.warning("alerts.without_posts", detail=str(error))
            return []
