"""Events of alerts that began or ended, with what people want to see beside numbers. Publishes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nifos_stream import logs
from nifos_stream.alerts import gaps
from nifos_stream.alerts.event import kinds, left_out_of, to_event
from nifos_stream.alerts.examples import examples
from nifos_stream.alerts.gaps import Gap
from nifos_stream.alerts.machine import Alert
from nifos_stream.counters.reader import Counts
from nifos_stream.errors import UserError
from nifos_stream.messages import AlertEvent
from nifos_stream.settings import Settings

_log = logs.get(__name__)


class Teller:
    """Of the rules of the settings. counts: where posts are taken from."""

    def __init__(self, counts: Counts, settings: Settings) -> None:
        self._counts = counts
        self._zone = settings.zone
        self._kinds = kinds(settings.alerts.rules)

    def event(self, alert: Alert, begun: AlertEvent | None, left_out: Sequence[Gap] = ()) -> AlertEvent:
        """The event of an alert, with some posts of its beginning, if they can be had.

        begun: the event of its beginning, of one that ended. left_out: minutes that could not be evaluated;
        said of an alert that was open then.
        """
        more: Mapping[str, object]
        if begun is None:
            more = {"posts": self._posts(alert)}
        else:
            more = {"posts": begun.evidence.get("posts", [])}
            if (unseen := gaps.whole(gaps.during(left_out, alert.started_at))) is not None:
                more = {**more, **left_out_of(unseen, self._zone)}
        kind = self._kinds[alert.subject.rule] if begun is None else begun.kind
        return to_event(replace(alert, evidence={**alert.evidence, **more}), kind, self._zone)

    def _posts(self, alert: Alert) -> list[Mapping[str, object]]:
        try:
            return examples(self._counts, alert)
        except UserError as error:
            _log.warning("alerts.without_posts", detail=str(error))
            return []
