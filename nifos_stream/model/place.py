"""Where a model lies on this machine, if it does. Knows neither torch nor the hub, so it answers at once."""

import re
from pathlib import Path

from nifos_stream.errors import UserError

BUNDLED = "bundled"
_BUNDLED_DIRECTORY = Path(__file__).parent / "bundled"
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def local(path: str) -> Path | None:
    """Return the directory of `bundled` or of a path; None for a name that only the hub can know.

    UserError for what can be neither.
    """
    directory = _BUNDLED_DIRECTORY if path == BUNDLED else Path(path).expanduser()
    if directory.is_dir():
        return directory
    if directory.exists():
        raise UserError(f"{path} is a file; a model is a directory.")
    if path == BUNDLED:
        raise UserError("This installation carries no bundled model; name a model directory instead.")
    if not _HUB_NAME.fullmatch(path):
        raise UserError(f"Model directory {path} does not exist.")
    return None
