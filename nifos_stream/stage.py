"""What a stage of the stream shows to whoever runs it. Knows no stage."""

import threading
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Health:
    """How a stage is: `ok` false turns health red, `ready` false means that it does not work yet."""

    ok: bool
    ready: bool
    detail: str


class Stage(Protocol):
    """A part of the stream that runs in a thread of its own until it is told to stop."""

    name: str

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then leave in good order. NifosError when it cannot go on."""

    def idle_seconds(self) -> float:
        """Seconds since the stage reached the end of its topics with nothing in hand; 0 while it is busy."""

    def health(self) -> Health:
        """How the stage is now; may be called from any thread."""
