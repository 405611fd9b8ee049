"""How the evaluation of the rules goes, as health and the log tell it. Evaluates nothing."""

from collections.abc import Callable

from nifos_stream import logs
from nifos_stream.counters.connect import LoginRefused, RedisAway
from nifos_stream.stage import Health

LONG_SECONDS = 600.0
"""From then on it is said how long nothing was evaluated, in health and every so often in the log."""
_log = logs.get(__name__)


class Condition:
    """Of one worker. now: a monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._hindered_since: float | None = None
        self._told_at = 0.0
        self._interrupted = False
        self.health = Health(ok=True, ready=True, detail="starting")

    def goes_on(self, detail: str) -> None:
        """It evaluates, has nothing to evaluate, or leaves it to another worker."""
        self._hindered_since, self._interrupted = None, False
        self.health = Health(ok=True, ready=True, detail=detail)

    def hindered(self, error: Exception | str) -> None:
        """It cannot evaluate now: an error, or what it waits for.

        Only that Redis is away, or the counts are behind, mends itself: when anything else lasts, such as a
        refused login, health turns red.
        """
        now = self._now()
        if self._hindered_since is None:
            self._hindered_since = self._told_at = now
        if isinstance(error, Exception) and not self._interrupted:
            self._interrupted = True
            _log.warning("alerts.interrupted", detail=str(error))
        lasted, detail = now - self._hindered_since, str(error)
        ok = True
        if lasted >= LONG_SECONDS:
            detail = f"no rule was evaluated for {lasted / 60:.0f} min: {detail}"
            ok = _mends_itself(error)
            if now - self._told_at >= LONG_SECONDS:
                self._told_at = now
                _log.warning("alerts.not_evaluated", minutes=round(lasted / 60), detail=str(error))
        self.health = Health(ok=ok, ready=True, detail=detail)


def _mends_itself(error: Exception | str) -> bool:
    if not isinstance(error, Exception):
        return True
    cause = error.__cause__ or error
    return isinstance(cause, RedisAway) and not isinstance(cause, LoginRefused)
