"""Rows that became no post: counted, the first ones kept, all written down. Knows no Kafka."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from nifos_stream.commands.sender import Place
from nifos_stream.errors import UserError
from nifos_stream.watch.look import plain

_SHOWN_REJECTS = 20


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that did not become a post, and why."""

    place: Place
    reason: str
    content: Any

    def sentence(self) -> str:
        """For a person."""
        return plain(f"{self.place.file}, {self.place.unit} {self.place.line}: {self.reason}")

    def as_json(self) -> dict[str, Any]:
        """For a program: the file, the line (row, element), the reason, and the row as it was read."""
        place = {"file": self.place.file, self.place.unit: self.place.line}
        return {**place, "reason": self.reason, "row": self.content}


@dataclass(slots=True)
class Tally:
    """Rejected rows: all counted, the first ones kept, all written to `file` if there is one."""

    file: IO[str] | None = None
    count: int = 0
    first: list[Refused] = field(default_factory=list)

    def add(self, refused: Refused) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < _SHOWN_REJECTS:
            self.first.append(refused)
        if self.file is not None:
            line = json.dumps(refused.as_json(), ensure_ascii=False, default=str)
            # Half of a surrogate pair or a broken byte cannot be written; the rest of the row can.
            self.file.write(line.encode("utf-8", "replace").decode() + "\n")


def open_rejects(path: Path, files: Sequence[str]) -> AbstractContextManager[IO[str]]:
    """A file for rejected rows. UserError when it cannot be written, or is one of those to be read."""
    if any(file != "-" and path.exists() and Path(file).exists() and path.samefile(file) for file in files):
        raise UserError(f"--rejects would overwrite {path}, which is to be read.")
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from None
