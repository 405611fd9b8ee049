"""The bytes of one file or of standard input, decompressed, and how many were taken. Knows no format."""

import contextlib
import errno
import gzip
import io
import lzma
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

from nifos_stream.errors import UserError

CHUNK_BYTES = 1 << 16
STDIN = "-"

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What reading may raise in the middle of a file that is damaged, cut off, or on a disk that fails."""


class _Reader(Protocol):
    def read1(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


_DECOMPRESSORS: dict[bytes, Callable[[io.BufferedReader], _Reader]] = {
    b"\x1f\x8b\x08": lambda inner: gzip.GzipFile(fileobj=inner),
    b"\xfd7zXZ\x00": lambda inner: lzma.LZMAFile(inner),  # noqa: SIM115 - Source.close closes it
}


class _Counted(io.RawIOBase):
    """A reader that knows how many bytes it has handed out."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self.taken = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._inner.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._inner.read1(len(buffer))  # type: ignore[attr-defined] # Buffered readers have it.
        buffer[: len(data)] = data
        self.taken += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


class Source:
    """A file, or standard input for `-`, read once from front to back.

    UserError when it cannot be opened, is a directory, or is damaged at its very beginning.
    name: what a person calls it. total_bytes: its size on disk; None where it has none, as a pipe.
    """

    def __init__(self, path: str | Path, stdin: BinaryIO | None = None) -> None:
        is_stdin = str(path) == STDIN
        self.name = "standard input" if is_stdin else str(path)
        self._rewindable = False
        self._spool: IO[bytes] | None = None
        self.total_bytes: int | None = None
        # Closing a source never closes the program's own standard input.
        inner = (
            io.BufferedReader(_Unclosed(stdin or sys.stdin.buffer)) if is_stdin else self._open(Path(path))
        )
        self._counted = _Counted(inner)
        self._raw = io.BufferedReader(self._counted, CHUNK_BYTES)
        self._reader: _Reader = self._raw
        self._prefix = b""
        try:
            self._prefix = self._first()
        except DAMAGE as error:
            self.close()
            raise UserError(f"{self.name} cannot be read: {said(error)}.") from None

    def _open(self, path: Path) -> BinaryIO:
        try:
            inner = path.open("rb")
            status = path.stat()
        except OSError as error:
            raise UserError(f"{path} cannot be read: {said(error)}.") from None
        if stat.S_ISREG(status.st_mode):
            self._rewindable = True
            self.total_bytes = status.st_size
        return inner

    def _first(self) -> bytes:
        """The first bytes, at least a line of them: enough to see what the file is."""
        magic = self._raw.peek(8)[:8]
        for start, decompressor in _DECOMPRESSORS.items():
            if magic.startswith(start):
                self._reader = decompressor(cast("io.BufferedReader", self._raw))
                self._rewindable = False
        prefix = b""
        while len(prefix) < CHUNK_BYTES:
            data = self._reader.read1(CHUNK_BYTES - len(prefix))
            prefix += data
            # What comes from a slow pipe shall not wait for more than it takes to know its format.
            if not data or prefix.count(b"\n") > 1:
                break
        return prefix

    @property
    def prefix(self) -> bytes:
        """The first bytes, which `read` gives again."""
        return self._prefix

    @property
    def taken_bytes(self) -> int:
        """Bytes taken from the disk so far, before decompression."""
        return min(self._counted.taken, self.total_bytes or self._counted.taken)

    @property
    def rewindable(self) -> bool:
        """It is a plain file, so that it can be opened once more."""
        return self._rewindable

    def read(self) -> bytes:
        """The next bytes, as many as there are without waiting; empty at the end. Raises one of DAMAGE."""
        if self._prefix:
            data, self._prefix = self._prefix, b""
            return data
        return self._reader.read1(CHUNK_BYTES)

    def seekable(self) -> IO[bytes]:
        """All its bytes as a file that can seek: itself, or else a temporary one. Raises one of DAMAGE."""
        if self._rewindable:
            self._raw.seek(0)
            return cast("IO[bytes]", self._raw)
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        while data := self.read():
            self._spool.write(data)
        self._spool.seek(0)
        return self._spool

    def close(self) -> None:
        """Close what was opened."""
        with contextlib.suppress(*DAMAGE):
            self._reader.close()
        self._raw.close()
        if self._spool is not None:
            self._spool.close()


class _Unclosed(io.RawIOBase):
    """Reads from a stream that belongs to somebody else."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        read = getattr(self._inner, "read1", self._inner.read)
        data = read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def said(error: BaseException) -> str:
    """What an error of DAMAGE means, as the end of a sentence."""
    if isinstance(error, EOFError | zlib.error | lzma.LZMAError | gzip.BadGzipFile):
        return "its compressed data is damaged or cut off"
    if isinstance(error, IsADirectoryError):
        return "it is a directory"
    if isinstance(error, OSError) and error.errno == errno.ENOENT:
        return "there is no such file"
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return "reading it is not permitted"
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)
