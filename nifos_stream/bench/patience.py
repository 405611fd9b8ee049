"""Wait for work that goes on, however slow the machine is, and not for work that stands still."""

import time
from collections.abc import Callable

from nifos_stream.errors import NifosError

_SECONDS = 120.0


class Patience:
    """Ends once no progress was made for two minutes."""

    def __init__(self, what: str, *, now: Callable[[], float] = time.monotonic) -> None:
        """what: becomes of a post or event where there is progress, such as "counted"."""
        self._what = what
        self._now = now
        self._progress = 0.0
        self._moved_at = now()

    def look(self, progress: float) -> None:
        """Note how far the work is. NifosError when it has been there for too long."""
        if progress != self._progress:
            self._progress, self._moved_at = progress, self._now()
        elif self._now() - self._moved_at > _SECONDS:
            raise NifosError(f"Nothing was {self._what} for {_SECONDS:g} s.")
