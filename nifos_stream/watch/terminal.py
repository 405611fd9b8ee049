"""`watch`: the counts, live in a terminal. Reads in one thread and draws in another."""

import datetime as dt
import threading
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live

from nifos_stream.counters.reader import RedisAway
from nifos_stream.errors import UserError
from nifos_stream.settings import Settings
from nifos_stream.watch.keys import Keys
from nifos_stream.watch.screen import WINDOWS, View, draw
from nifos_stream.watch.snapshot import Snapshot, Watcher, open_counts

_REFRESH_SECONDS = 1.0
_KEY_SECONDS = 0.25


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
    with open_counts(settings) as counts:
        watcher = Watcher(counts, window)
        first = watcher.snapshot()
        if once or not console.is_terminal:
            console.print(draw(View(first, console.width), _now()))
            return
        refresher = Refresher(watcher, first)
        refresher.start()
        try:
            _show(console, keys or Keys(), refresher)
        finally:
            refresher.stop()


def _show(console: Console, keys: Keys, refresher: "Refresher") -> None:
    """Draw until q is pressed."""
    with keys.listening(), Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            held = refresher.held
            width, height = console.size
            view = View(held.snapshot, width, height, held.away, keys=True)
            live.update(draw(view, _now()), refresh=True)
            match keys.wait(_KEY_SECONDS):
                case "q" | "Q":
                    return
                case str(key) if key in WINDOWS:
                    refresher.show_window(WINDOWS[key])


@dataclass(frozen=True, slots=True)
class Held:
    """The newest snapshot, and why there is no newer one, if reading fails."""

    snapshot: Snapshot
    away: str | None = None


class Refresher:
    """Reads a snapshot every second in a thread of its own, so that a slow Redis does not stop the keys."""

    def __init__(
        self, watcher: Watcher, first: Snapshot, *, refresh_seconds: float = _REFRESH_SECONDS
    ) -> None:
        self._watcher = watcher
        self._refresh_seconds = refresh_seconds
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="watch-refresher", daemon=True)
        self.held = Held(first)

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
            return Held(self._watcher.snapshot())
        except RedisAway:
            return Held(self.held.snapshot, "Redis is away.")
        except UserError as error:
            return Held(self.held.snapshot, str(error))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
