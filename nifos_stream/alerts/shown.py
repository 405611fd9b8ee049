"""What readers see of the alerts, kept in line with what one worker published in its turn. Knows no Kafka."""

from collections.abc import Iterable, Mapping, Sequence

from nifos_stream import logs
from nifos_stream.alerts.shelf import Answer, Shelf, Version
from nifos_stream.messages import AlertEvent

_log = logs.get(__name__)


class Overtaken(Exception):
    """A worker whose turn is later has written what readers see."""


class Shown:
    """Of one turn. events: the last of each alert, oldest first. kept: how many ended ones are remembered.

    Every call may raise RedisAway, and Overtaken; whatever is not shown yet then, `mend` shows.
    """

    def __init__(self, shelf: Shelf, events: Iterable[AlertEvent], *, epoch: int, kept: int) -> None:
        self._shelf = shelf
        self._events = {event.id: event for event in events}
        self._kept = kept
        self._version = Version(epoch, 0)
        self._forget()

    @property
    def events(self) -> Mapping[str, AlertEvent]:
        """The last event of each alert, by its id."""
        return self._events

    def show_all(self) -> None:
        """Let readers see all there is, and nothing else."""
        self._write(list(self._events.values()), these_are_all=True)

    def show(self, changed: Sequence[AlertEvent]) -> None:
        """Remember what was published, and let readers see it."""
        self._events |= {event.id: event for event in changed}
        self._forget()
        if changed:
            self._write(changed, these_are_all=False)

    def mend(self) -> None:
        """Where readers do not see what this turn wrote last, as Redis was emptied or is older: write it."""
        if (there := self._shelf.version()) != self._version:
            _log.warning("alerts.shown_again", there=there, wanted=self._version)
            self.show_all()

    def _write(self, events: Sequence[AlertEvent], *, these_are_all: bool) -> None:
        # Before the call: one that fails leaves another version there than this, so that `mend` finds it.
        self._version = version = Version(self._version.epoch, self._version.edition + 1)
        answer = self._shelf.keep(events, version, these_are_all=these_are_all)
        if answer is Answer.NEWER:
            raise Overtaken("Another worker shows its alerts by now.")
        if answer is Answer.OTHER:
            self.show_all()

    def _forget(self) -> None:
        """Of those that have ended, remember no more than readers can see."""
        ended = [event.id for event in self._events.values() if event.ended_at is not None]
        for name in ended[: max(0, len(ended) - self._kept)]:
            del self._events[name]
