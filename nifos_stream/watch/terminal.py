"""`watch`: the counts, live in a terminal. Reads in one thread and draws in another."""

import contextlib
import dataclasses
import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live

from nifos_stream.alerts.shelf import shelf_of
from nifos_stream.counters.reader import RedisAway
from nifos_stream.errors import UserError
from nifos_stream.messages import AlertEvent
from nifos_stream.settings import Settings
from nifos_stream.watch.keys import Keys
from nifos_stream.watch.screen import WINDOWS, View, draw
from nifos_stream.watch.snapshot import Snapshot, Watcher, open_counts

_REFRESH_SECONDS = 1.0
_KEY_SECONDS = 0.25
_LATE = dt.timedelta(seconds=4)
"""Numbers are old when there are none newer for so long, though Redis has not failed to answer yet."""


def watch(
    settings: Settings,
    *,
    window: str = "1h",
    once: bool = False,
    console: Console | None = None,
    keys: Keys | None = None,
) -> None:
    """Show the counts of the last `window`, once a second, until q or Ctrl-C.

    once: print them once and end, which is also what happens where the output is no terminal.
    RedisAway when Redis does not answer at the start; later the last numbers stay, grey, with their age.
    """
    console = console or Console(highlight=False)
    with open_counts(settings) as counts, contextlib.closing(shelf_of(settings)) as shelf:
        refresher = Refresher(
            Watcher(counts, window), alerts=lambda: shelf.read("open", settings.alerts.most_open)
        )
        if once or not console.is_terminal:
            now = _now()
            console.print(draw(refresher.held.view(now, console.width), now))
            return
        refresher.start()
        try:
            _show(console, keys or Keys(), refresher)
        finally:
            refresher.stop()


def _show(console: Console, keys: Keys, refresher: "Refresher") -> None:
    """Draw until q is pressed."""
    with keys.listening(), Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            width, height = console.size
            now = _now()
            live.update(draw(refresher.held.view(now, width, height, keys=True), now), refresh=True)
            match keys.wait(_KEY_SECONDS):
                case "q" | "Q":
                    return
                case str(key) if key in WINDOWS:
                    refresher.show_window(WINDOWS[key])


@dataclass(frozen=True, slots=True)
class Held:
    """The newest snapshot with the alerts that were open then, and why there is no newer one."""

    snapshot: Snapshot
    alerts: Sequence[AlertEvent]
    away: str | None = None

    def view(self, now: dt.datetime, cells: int, rows: int | None = None, *, keys: bool = False) -> View:
        """As it is drawn at `now` on a screen of this size."""
        late = "Redis does not answer." if now - self.snapshot.read_at > _LATE else None
        return View(self.snapshot, cells, rows, self.alerts, self.away or late, keys=keys)


class Refresher:
    """Reads a snapshot every second in a thread of its own, so that a slow Redis does not stop the keys.

    alerts: reads those that are open. The first reading is made here, and may raise RedisAway or UserError.
    """

    def __init__(
        self,
        watcher: Watcher,
        *,
        alerts: Callable[[], Sequence[AlertEvent]],
        refresh_seconds: float = _REFRESH_SECONDS,
    ) -> None:
        self._watcher = watcher
        self._alerts = alerts
        self._refresh_seconds = refresh_seconds
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="watch-refresher", daemon=True)
        self.held = self._read()

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call in hand; it is not waited for longer than a moment."""
        self._stopped = True
        self._wake.set()
        self._thread.join(timeout=1.0)

    def show_window(self, window: str) -> None:
        """Read this window from now on, the first time at once."""
        self._watcher.window = window
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(self._refresh_seconds)
            self._wake.clear()
            if not self._stopped:
                self.held = self._next()

    def _next(self) -> Held:
        try:
            return self._read()
        except RedisAway:
            return dataclasses.replace(self.held, away="Redis is away.")
        except UserError as error:
            return dataclasses.replace(self.held, away=str(error))

    def _read(self) -> Held:
        return Held(self._watcher.snapshot(), self._alerts())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
