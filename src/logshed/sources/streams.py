"""Opens what a locator names: a file, or a stream that can be read only once and yet wants to be looked at first."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from logshed.errors import SourceError
from logshed.sources.codecs import PARQUET, Decompressed
from logshed.sources.encodings import Transcoded
from logshed.sources.model import TOPIC
from logshed.sources.objects import ObjectFile, is_address
from logshed.sources.parquet import Rows
from logshed.sources.rawfile import RawFile, inode_of
from logshed.sources.spool import SPOOL, SpoolFile

if TYPE_CHECKING:
    from logshed.sources.codecs import ByteStream

STDIN = "-"
RENAMES = 10
"""How often a file is looked for that is renamed while it is: rotation moves one on, file by file."""


def mode_of(path: str) -> int:
    """The permissions of a file.

    Raises:
        OSError: It is not there any more.
    """
    return stat.S_IMODE(Path(path).stat().st_mode)


def of_inode(folder: Path, inode: str) -> str:
    """Path of the file in a folder that has this inode, or empty.

    Raises:
        OSError: The folder cannot be read.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and inode_of(entry.stat(follow_symlinks=False)) == inode:
                return entry.path
    return ""


class OnceStream:
    """A pipe: its beginning can be looked at, and is given out again when it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._raw = RawFile(file)
        self._ahead = b""

    @property
    def problem(self) -> str:
        """Why the stream ended before its end, or empty."""
        return self._raw.problem

    @property
    def taken(self) -> int:
        """Bytes given out so far."""
        return self._raw.taken - len(self._ahead)

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer only where the stream ends; they stay to be read."""
        while len(self._ahead) < size:
            data = self._raw.read(size - len(self._ahead))
            if not data:
                break
            self._ahead += data
        return self._ahead[:size]

    def peek_some(self, size: int) -> bytes:
        """At most ``size`` of the next bytes, as many as are there; it waits only for the first."""
        if not self._ahead:
            self._ahead = self._raw.read(size)
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        return self._raw.read(size)

    def close(self) -> None:
        """Leave the pipe to the process: it may be standard input."""


_once: dict[str, OnceStream] = {}
_stdin: list[tuple[object, OnceStream]] = []
_once_lock = threading.Lock()


def once(locator: str) -> OnceStream:
    """The pipe that a locator names, the same one for all who ask in this process.

    A program that gives itself another ``sys.stdin`` is read from that one: the first has been read to its end.
    """
    with _once_lock:
        if locator == STDIN:
            given = sys.stdin.buffer
            if not _stdin or _stdin[0][0] is not given:
                _stdin[:] = [(given, OnceStream(getattr(given, "raw", given)))]
            return _stdin[0][1]
        if locator not in _once:
            file = _opened(locator)
            _once[locator] = OnceStream(getattr(file, "raw", file))
        return _once[locator]


def is_once(locator: str) -> bool:
    """Whether a locator names standard input, a named pipe or another thing that is no file."""
    if locator.startswith(SPOOL) or is_address(locator):
        return False
    return locator == STDIN or not stat.S_ISREG(Path(locator).stat().st_mode)


def open_raw(locator: str) -> RawFile | OnceStream:
    """The bytes as they lie there.

    Raises:
        OSError: It cannot be opened.
        SpoolError: The spool that it lies in cannot be read.
        SourceError: The store that it lies in cannot be asked.
    """
    if locator.startswith(SPOOL):
        return SpoolFile(locator)
    if locator.startswith(TOPIC):
        raise SourceError(f"cannot read {locator} as a file: it is a topic; take it with `logshed ingest`")
    if is_address(locator):
        return ObjectFile(locator)
    if is_once(locator):
        return once(locator)
    return RawFile(_opened(locator))


def open_same(locator: str, inode: str) -> RawFile | OnceStream:
    """The bytes of the very file that was looked at: under its new name in the same folder if it was renamed since.

    Args:
        locator: Where it was.
        inode: ``device:inode`` of it, of an object its etag; empty where the locator alone says what it is.

    Raises:
        OSError: It is not in its folder any more, or cannot be opened.
        SpoolError: As of ``open_raw``.
        SourceError: As of ``open_raw``; an object was overwritten since.
    """
    if is_address(locator) and not locator.startswith(TOPIC):
        return ObjectFile(locator, inode)
    path = locator
    for _ in range(RENAMES):
        try:
            raw = open_raw(path)
        except FileNotFoundError:
            if not inode:
                raise
        else:
            if not (inode and isinstance(raw, RawFile)) or raw.inode() == inode:
                return raw
            raw.close()
        path = of_inode(Path(locator).parent, inode) or locator
    cause = "another file has taken its place" if Path(locator).exists() else os.strerror(errno.ENOENT)
    raise FileNotFoundError(errno.ENOENT, cause, locator)


def _opened(locator: str) -> BinaryIO:
    return cast("BinaryIO", Path(locator).open("rb", buffering=0))


def decoded(raw: ByteStream, codec: str, encoding: str) -> ByteStream:
    """The decompressed UTF-8 of some bytes."""
    if codec == PARQUET and isinstance(raw, RawFile):
        return Rows(raw)
    stream: ByteStream = raw if codec == "plain" else Decompressed(raw, codec)
    return stream if encoding == "utf-8" else Transcoded(stream, encoding)


def head(locator: str, codec: str, encoding: str, size: int, inode: str = "") -> bytes:
    """The first ``size`` decoded bytes, fewer where there are no more; of the very file where its inode is given.

    Raises:
        OSError: It cannot be opened.
    """
    raw = open_same(locator, inode)
    if isinstance(raw, OnceStream):
        raw = RawFile(io.BytesIO(raw.peek(size)))
    stream = decoded(raw, codec, encoding)
    try:
        return take(stream, size)
    finally:
        stream.close()


def take(stream: ByteStream, size: int) -> bytes:
    """The next ``size`` bytes of a stream, fewer where there are no more."""
    pieces = []
    while size and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
