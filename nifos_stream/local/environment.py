"""How a person's shell finds the command. Knows no server."""

import shutil
import sys
from pathlib import Path


def activation(prefix: str = sys.prefix, base_prefix: str = sys.base_prefix, path: str | None = None) -> str:
    """What to run first, such as `. .venv/bin/activate`; empty where the shell finds the command.

    path: where commands are looked for; PATH without it.
    """
    if prefix == base_prefix or shutil.which("nifos-stream", path=path):
        return ""
    place = Path(prefix)
    if place.is_relative_to(Path.cwd()):
        place = place.relative_to(Path.cwd())
    return f". {place}/bin/activate"
