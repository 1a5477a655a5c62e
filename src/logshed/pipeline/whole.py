"""Reads text so that it can be written again byte for byte: nothing is cut off, and memory stays bounded."""

from __future__ import annotations

import re
import select
import sys
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import SourceError
from logshed.pipeline.gathering import Gatherer, Records
from logshed.pipeline.settling import UNREDACTABLE
from logshed.sources import streams
from logshed.sources.encodings import UTF8_MARK

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import numpy as np

    from logshed.formats.model import Format
    from logshed.redaction.engine import Redactor
    from logshed.sources.codecs import ByteStream
    from logshed.sources.model import Target

FRAME_BYTES = 8 * 1024 * 1024
LONG_BYTES = 2 * 1024 * 1024
"""A line that is longer than a frame is cut where twice as much of it shows that no value is."""
_TRIES = 12
_WAIT_S = 0.02
"""Seconds for which a pipe may be silent before what came of it is passed on."""
_STANDIN = 0x10FF00
"""Private characters from here on (+ 80 to FF) stand for bytes that are no UTF-8, and for those of such characters."""
_STANDIN_LEAD = b"\xf4\x8f"
_STRAY = re.compile("[\udc80-\udcff]")
_PRIVATE = re.compile("[\U0010ff80-\U0010ffff]")


class Whole:
    """One text, from its first byte to its last.

    Attributes:
        problems: What could not be read or kept, a sentence each.
        lines: Lines read so far.
    """

    def __init__(
        self,
        target: Target,
        redactor: Redactor,
        *,
        frame_bytes: int = FRAME_BYTES,
        forms: Sequence[Format] | None = None,
    ) -> None:
        """Open it.

        Args:
            target: The text.
            redactor: The policy.
            frame_bytes: About how much is in hand at a time.
            forms: The formats by which the records will be parsed: a line that is too long for that is left out.

        Raises:
            SourceError: It cannot be opened.
        """
        try:
            self._raw = streams.open_raw(target.locator)
        except OSError as error:
            raise SourceError(f"cannot read {target.path}: {error.strerror}; check that it is still there") from error
        self._stream: ByteStream = streams.decoded(self._raw, target.codec, target.encoding)
        self._live = target.locator == streams.STDIN
        self._path = target.path
        self._redactor = redactor
        self._frame = frame_bytes
        self._gatherer = Gatherer(redactor, forms or ())
        self._parts_will_do = forms is None
        self._begun = b""
        self.problems: list[str] = []
        self.lines = 0

    @property
    def taken(self) -> int:
        """Bytes read so far, as they lie on disk."""
        return self._raw.taken

    def close(self) -> None:
        """Give the file back."""
        self._stream.close()

    def begin(self) -> bytes:
        """The byte-order mark in UTF-8 that stands before all records; empty where there is none."""
        self._begun = streams.take(self._stream, len(UTF8_MARK))
        if self._begun != UTF8_MARK:
            return b""
        self._begun = b""
        return UTF8_MARK

    def records(self) -> Iterator[Records]:
        """All records behind ``begin``, some at a time."""
        data = self._begun
        while True:
            more = self._more(self._frame - len(data)) if len(data) < self._frame else b""
            data += more
            end = data.rfind(b"\n") + 1
            if end:
                found = self._pushed(data[:end])
                data = data[end:]
                if found is not None:
                    yield found
            elif not more and len(data) < self._frame:
                break
            elif len(data) >= self._frame:
                data = yield from self._long(data)
        yield from self._last(data)
        if self._stream.problem:
            self.problems.append(f"cannot read all of {self._path}: {self._stream.problem}; what came before is kept")

    def _more(self, size: int) -> bytes:
        """The next bytes; of a pipe those that are there."""
        pieces: list[bytes] = []
        while size > 0:
            if self._live and pieces and not _ready():
                break
            piece = self._stream.read(size)
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _pushed(self, data: bytes) -> Records | None:
        """The records that whole lines complete."""
        text, returns = _cut(data[:-1])
        self.lines += len(text)
        return self._gatherer.push(text, returns)

    def _last(self, data: bytes) -> Iterator[Records]:
        """What was held back, and a last line without a line feed."""
        text, returns = _cut(data) if data else (pl.Series([], dtype=pl.String), None)
        self.lines += len(text)
        found = self._gatherer.push(text, returns, last=True, ends=not data)
        if found is not None:
            yield found

    def _long(self, data: bytes) -> Generator[Records, None, bytes]:
        """Pieces of a line that is longer than a frame; returns what of it is left to be read as a line."""
        held = self._gatherer.push(pl.Series([], dtype=pl.String), last=True)
        if held is not None:
            yield held
        while b"\n" not in data:
            while len(data) < 2 * LONG_BYTES and (more := self._more(2 * LONG_BYTES - len(data))):
                data += more
                if b"\n" in more:
                    return data
            if len(data) <= LONG_BYTES:
                break
            window = decoded(data[: 2 * LONG_BYTES])
            size = self._safe_cut(window) if self._parts_will_do else 0
            if not size:
                if self._parts_will_do:
                    yield self._piece(window)
                yield self._piece(UNREDACTABLE)
                self.problems.append(self._too_long())
                return self._behind_line()
            yield self._piece(window[:size])
            data = data[len(encoded(window[:size])) :]
        return data

    def _too_long(self) -> str:
        why = f"a value in it than {LONG_BYTES:,}" if self._parts_will_do else "is not parsed"
        return (
            f"cannot keep all of line {self._gatherer.line:,} of {self._path}: it is longer than {self._frame:,} bytes "
            f"and {why}; the rest of it is {UNREDACTABLE}"
        )

    def _piece(self, text: str) -> Records:
        none = pl.Series([], dtype=pl.UInt32)
        one = pl.Series([1], dtype=pl.Int32)
        line = pl.Series([self._gatherer.line])
        return Records(pl.Series([text], dtype=pl.String), line, one, none, none, ends=False)

    def _safe_cut(self, window: str) -> int:
        """Where a text can be cut so that redaction of both parts is redaction of the whole; 0 where nowhere."""
        whole = self._clean(window)
        place = len(window) * 3 // 4
        for _ in range(_TRIES):
            found = re.compile(r"[\s,;&]").search(window, place)
            if found is None:
                return 0
            size = found.end()
            if self._clean(window[:size]) + self._clean(window[size:]) == whole:
                return size
            place = size + len(window) // (8 * _TRIES)
        return 0

    def _clean(self, text: str) -> str:
        return str(self._redactor.redact(pl.Series([text], dtype=pl.String)).text[0])

    def _behind_line(self) -> bytes:
        """Pass over the rest of a line; its line feed and what was read behind it."""
        while data := self._more(LONG_BYTES):
            if (end := data.find(b"\n")) >= 0:
                return data[end:]
        return b""


def decoded(data: bytes) -> str:
    """Text, with private characters for bytes that are no UTF-8."""
    text = data.decode("utf-8", "surrogateescape")
    if _STANDIN_LEAD in data:
        text = _PRIVATE.sub(lambda match: match[0].encode().decode("ascii", "surrogateescape"), text)
    if text.isascii() or not _STRAY.search(text):
        return text
    return _STRAY.sub(lambda match: chr(_STANDIN + ord(match[0]) - 0xDC00), text)


def encoded(text: str) -> bytes:
    """The bytes that ``decoded`` made a text of."""
    data = text.encode()
    if _STANDIN_LEAD not in data:
        return data
    return _PRIVATE.sub(lambda match: chr(ord(match[0]) - _STANDIN + 0xDC00), text).encode("utf-8", "surrogateescape")


def _cut(data: bytes) -> tuple[pl.Series, np.ndarray | None]:
    """Lines, and which of them a carriage return ends."""
    text = pl.Series([decoded(data)], dtype=pl.String).str.split("\n").explode()
    if b"\r" not in data:
        return text, None
    returns = text.str.ends_with("\r")
    return (text.str.strip_suffix("\r"), returns.to_numpy()) if returns.any() else (text, None)


def _ready() -> bool:
    """Whether standard input has something, its end included."""
    return bool(select.select([sys.stdin.buffer], [], [], _WAIT_S)[0])
