"""A file of dead letters, mended by a person: which letters it names, and what to send of each."""

import base64
import binascii
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from nifos_stream.commands.letters import Kept, Place
from nifos_stream.errors import UserError
from nifos_stream.messages import Origin


class _Line(BaseModel):
    """A line as `dead-letters list --json` writes it. A field that was left out is as it was."""

    model_config = ConfigDict(frozen=True)

    partition: int
    offset: int
    origin: Origin | None = None
    failed_at: AwareDatetime | None = None
    key: str | None = None
    value: str | None = None
    key_base64: str | None = None
    value_base64: str | None = None


def shown(content: bytes | None) -> str | None:
    """Bytes as text; those that are not UTF-8 are escaped."""
    return None if content is None else content.decode("utf-8", "backslashreplace")


def exact(content: bytes | None) -> str | None:
    """Bytes in base64."""
    return None if content is None else base64.b64encode(content).decode()


class MendedFile:
    """Lines of `dead-letters list --json`, some of them changed.

    A changed `value` is sent, in UTF-8, in place of the message; else a changed `value_base64` is. The same
    goes for `key`. What was not changed is sent as it was, to the byte. Only where each line begins is held
    in memory. UserError names a line that cannot be read, or that names a letter again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begins: dict[Place, tuple[int, int]] = {}
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise UserError(f"File {path} cannot be read: {error.strerror}.") from None
        try:
            self._look_through()
        except BaseException:
            self.close()
            raise

    def places(self) -> set[Place]:
        """The letters that the file names."""
        return set(self._begins)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def same(self, kept: Kept) -> bool:
        """Whether the line means this letter, not another at the same place of another topic or cluster."""
        line, _ = self._line(kept.place)
        letter = kept.letter
        return line.origin in (None, letter.origin) and line.failed_at in (None, letter.failed_at)

    def content(self, kept: Kept) -> tuple[bytes | None, bytes | None]:
        """Key and value to send for a letter. UserError when its line says two things at once."""
        line, number = self._line(kept.place)
        given = {name: getattr(line, name) for name in line.model_fields_set}
        try:
            return _changed("key", kept.key, given), _changed("value", kept.value, given)
        except ValueError as error:
            raise UserError(f"Line {number} of {self._path}: {error}.") from None

    def _look_through(self) -> None:
        begin = 0
        for number, content in enumerate(self._file, start=1):
            if content.strip():
                line = self._parse(content, number)
                place = (line.partition, line.offset)
                if place in self._begins:
                    raise UserError(
                        f"Line {number} of {self._path} names a letter that stands there already."
                    )
                self._begins[place] = (begin, number)
            begin += len(content)

    def _line(self, place: Place) -> tuple[_Line, int]:
        begin, number = self._begins[place]
        self._file.seek(begin)
        return self._parse(self._file.readline(), number), number

    def _parse(self, content: bytes, number: int) -> _Line:
        try:
            return _Line.model_validate_json(content)
        except ValidationError as error:
            wrong = error.errors()[0]
            # An object is what comes of mending with a program that reads the JSON in `value`.
            why = f": {wrong['loc'][0]} must be a text" if wrong["type"] == "string_type" else ""
            raise UserError(
                f"Line {number} of {self._path} is no dead letter as `dead-letters list --json` writes it"
                f"{why}."
            ) from None


def _changed(name: str, original: bytes | None, given: dict[str, Any]) -> bytes | None:
    text, coded = given.get(name, shown(original)), given.get(f"{name}_base64", exact(original))
    from_text = original if text == shown(original) else _encoded(text)
    from_base64 = original if coded == exact(original) else _decoded(name, coded)
    if original not in (from_text, from_base64) and from_text != from_base64:
        raise ValueError(f"{name} and {name}_base64 were both changed, to different contents")
    return from_text if from_text != original else from_base64


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8")


def _decoded(name: str, coded: str | None) -> bytes | None:
    try:
        return None if coded is None else base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{name}_base64 is not base64") from None
