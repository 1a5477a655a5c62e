"""Text encodings: told by a byte-order mark or by where the NULs lie, decoded to UTF-8; bad bytes made visible."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from logshed.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from logshed.sources.codecs import ByteStream

UTF8_MARK = codecs.BOM_UTF8

# UTF-32's little-endian mark begins with UTF-16's: longest first.
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MIN_UNITS = 8
_MOSTLY = 0.7
_SELDOM = 0.05
_ASCII = bytes(range(128))
_MIN_FOREIGN = 24
"""Bytes beyond ASCII below which nothing can be told of them."""
_BACKSLASH = "\ufdd2"  # a noncharacter: no text holds it
_ESCAPE = re.compile(rb"\\(?:\\|x([0-9a-f]{2}))")


def detect(head: bytes) -> str:
    """The encoding of a text by its first bytes: UTF-16, UTF-32 or a legacy one where they show it, else ``utf-8``.

    Without a mark a text is UTF-16 if at least 70 % of one half of its bytes (even or odd) and at most 5 % of the other
    are NUL: Latin letters, digits and blanks have a zero high byte.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    units = len(head) // 2
    if units >= _MIN_UNITS:
        even, odd = head[: units * 2 : 2].count(0) / units, head[1 : units * 2 : 2].count(0) / units
        if odd >= _MOSTLY and even <= _SELDOM:
            return "utf-16-le"
        if even >= _MOSTLY and odd <= _SELDOM:
            return "utf-16-be"
    return "utf-8" if _may_be_utf8(head) else _legacy(head)


def _may_be_utf8(head: bytes) -> bool:
    """Whether a text is UTF-8, perhaps with stray bytes; most of one of another encoding is stray."""
    foreign = len(head.translate(None, _ASCII))
    valid = len(head.decode("utf-8", "ignore").encode().translate(None, _ASCII))
    return foreign < _MIN_FOREIGN or valid * 2 >= foreign


def _legacy(head: bytes) -> str:
    """The encoding that fits a text best by what its letters are; ``utf-8`` where none does."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - seldom needed

    best = from_bytes(head).best()
    return "utf-8" if best is None else canonical(best.encoding)


def canonical(name: str) -> str:
    """The one spelling of a declared encoding; ASCII is UTF-8.

    Raises:
        UsageError: Python knows no such text encoding.
    """
    try:
        known = codecs.lookup(name)
    except LookupError:
        known = None
    if known is None or not known._is_text_encoding:  # noqa: SLF001 - the only way to tell `rot13` from a charset
        raise UsageError(
            f"cannot read text as {name!r}: no such encoding; name one such as utf-8, utf-16, cp1252, sjis"
        )
    return "utf-8" if known.name in {"utf-8", "utf-8-sig", "ascii"} else known.name


class Transcoded:
    """A stream of another encoding as UTF-8.

    Bytes that the encoding does not define stay as they are, lone surrogates become the three bytes that encode them:
    both are invalid UTF-8 and are escaped as such further on.
    """

    def __init__(self, raw: ByteStream, encoding: str) -> None:
        self._raw = raw
        self._errors = "surrogatepass" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)(self._errors)
        self._ready = b""
        self._ended = False

    @property
    def problem(self) -> str:
        """Why the stream ended before its end, or empty."""
        half = len(self._decoder.getstate()[0]) if self._ended else 0
        return self._raw.problem or (f"the last {half} bytes are half a character" if half else "")

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes of UTF-8; none at the end."""
        while not self._ready and not self._ended:
            data = self._raw.read(max(size // 2, 64))
            self._ended = not data
            self._ready = self._decoder.decode(data).encode("utf-8", self._errors)
        piece, self._ready = self._ready[:size], self._ready[size:]
        return piece

    def close(self) -> None:
        """Give back what is held open."""
        self._raw.close()


def escape(line: bytes) -> bytes:
    r"""A line with invalid UTF-8 as valid UTF-8: backslashes doubled, each bad byte as ``\xNN``."""
    return line.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace").encode("utf-8")


def readable(text: pl.Series) -> pl.Series:
    """Escaped texts as they are read: a replacement character for every stray byte, single backslashes."""
    return (
        text.str.replace_all("\\\\", _BACKSLASH, literal=True)
        .str.replace_all(r"\\x[0-9a-f]{2}", "\ufffd")
        .str.replace_all(_BACKSLASH, "\\", literal=True)
    )


def unescape(text: str) -> bytes:
    """The bytes that ``escape`` made ``text`` of."""
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()) if match[1] else b"\\", text.encode("utf-8"))
