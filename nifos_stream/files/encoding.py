"""From bytes to text: which encoding, told by the bytes alone. Knows no file and no format."""

import codecs

BROKEN = "\udc80"
"""Stands in the text where bytes were not of its encoding. No encoding can write it, so it is not lost."""
_HANDLER = "nifos.broken"
_SHOWN_ENCODINGS = "UTF-8, UTF-16 with a byte order mark, or CP949"
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
# Korean text has one wrong byte in thousands; pictures and programs have one in four.
_MOST_CONTROLS = 0.02
_MOST_BROKEN = 0.25


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return BROKEN, error.end
    raise error


codecs.register_error(_HANDLER, _mark)


class Decoder:
    """Decodes a stream of bytes whose encoding is told by its mark, or else by its first bytes beyond ASCII.

    ValueError from `decode` when the bytes are no text in any encoding that is known here.
    """

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._started = False
        self._waiting = b""

    def decode(self, data: bytes, *, final: bool = False) -> str:
        """The text of the next bytes; broken bytes become BROKEN. final: nothing comes after these."""
        if not self._started:
            data = self._waiting + data
            if len(data) < len(codecs.BOM_UTF8) and not final:
                self._waiting = data
                return ""
            self._started = True
            self._by_mark(data)
        if self._decoder is None:
            if data.isascii():
                return data.decode("ascii")
            self._use(_told_by(data))
        assert self._decoder is not None  # noqa: S101 - for the type checker
        return self._decoder.decode(data, final)

    def _by_mark(self, data: bytes) -> None:
        for mark, encoding in _BOMS.items():
            if data.startswith(mark):
                self._use(encoding)
                return
        if data and len(data.translate(None, _CONTROLS)) < len(data) * (1 - _MOST_CONTROLS):
            raise ValueError(f"it is not text in {_SHOWN_ENCODINGS}")

    def _use(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)(_HANDLER)


def _told_by(data: bytes) -> str:
    """The encoding that explains the bytes best; the first of equals."""
    beyond_ascii = len(data.translate(None, bytes(range(128))))
    broken = {encoding: _broken(data, encoding) for encoding in ("utf-8", "cp949")}
    best = min(broken, key=lambda encoding: broken[encoding])
    if broken[best] > max(1, beyond_ascii * _MOST_BROKEN):
        raise ValueError(f"it is not text in {_SHOWN_ENCODINGS}")
    return best


def _broken(data: bytes, encoding: str) -> int:
    # Not final: the bytes may end in the middle of a character.
    return codecs.getincrementaldecoder(encoding)(_HANDLER).decode(data).count(BROKEN)
