"""Keys that a person presses while a screen is shown. Knows no screen."""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import TextIO


class Keys:
    """Hears single keys, where the input is a terminal; elsewhere it only waits."""

    def __init__(self, stdin: TextIO | None = None) -> None:
        self._stdin = stdin or sys.stdin
        self._is_terminal = self._stdin.isatty()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Keys come at once and are not shown, until the block ends."""
        if not self._is_terminal:
            yield
            return
        import termios
        import tty

        before = termios.tcgetattr(self._stdin)
        try:
            tty.setcbreak(self._stdin)
            yield
        finally:
            termios.tcsetattr(self._stdin, termios.TCSADRAIN, before)

    def wait(self, seconds: float) -> str | None:
        """The next key, None when there is none for so long; q when the terminal is gone."""
        if not self._is_terminal:
            select.select([], [], [], seconds)
            return None
        ready, _, _ = select.select([self._stdin], [], [], seconds)
        if not ready:
            return None
        # All that is there: an arrow is one key, though three characters.
        return os.read(self._stdin.fileno(), 32).decode(errors="replace") or "q"
