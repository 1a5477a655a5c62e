"""Writes a file that appears when it is whole: it is a temporary file beside that place until then."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import os
import stat
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

from isal import isal_zlib

from logshed.errors import LogshedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_OWN_MODE = 0o600
_GZIP_WINDOW = 31
"""zlib's window of 2^15 bytes, and 16 for a gzip header (zlib's manual, deflateInit2)."""


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def _gzip() -> _Compressor:
    made: _Compressor = isal_zlib.compressobj(isal_zlib.ISAL_DEFAULT_COMPRESSION, isal_zlib.DEFLATED, _GZIP_WINDOW)
    return made


_COMPRESSORS: dict[str, Callable[[], _Compressor]] = {
    "plain": _Plain,
    "gzip": _gzip,
    "bzip2": bz2.BZ2Compressor,
    "xz": lambda: lzma.LZMACompressor(preset=1),
    "zstd": lambda: zstd.ZstdCompressor(level=3),
}


class Output:
    """What is written to.

    Attributes:
        size: Bytes written, as they lie there.
    """

    def __init__(self, file: IO[bytes] | _All, codec: str, encoding: str) -> None:
        """Make one.

        Args:
            file: Where the bytes go.
            codec: A name of ``CODECS``, or ``plain``.
            encoding: The text's encoding in the file.
        """
        self._file = file
        self._compressor = _COMPRESSORS[codec]()
        self._encoding = encoding
        self._errors = "surrogatepass" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of the bytes written, 64 hex digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Write whole characters of UTF-8."""
        if self._encoding != "utf-8":
            data = data.decode("utf-8", self._errors).encode(self._encoding, self._errors)
        self._put(self._compressor.compress(data))

    def finish(self) -> None:
        """Write what the compressor holds back."""
        self._put(self._compressor.flush())

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)
        self._file.flush()


@contextmanager
def opened(path: Path | None, codec: str, encoding: str, *, mode: int | None = None) -> Iterator[Output]:
    """An output; a file appears, in place of one of its name, when the block has ended well, else nothing stays.

    Args:
        path: The file, whose folder is made; None is standard output.
        codec: A name of ``CODECS``, or ``plain``.
        encoding: The text's encoding in the file.
        mode: The file's permissions; None takes those of new files.

    Raises:
        LogshedError: It cannot be written.
    """
    if path is None:
        output = Output(sys.stdout.buffer, "plain", encoding)
        yield output
        output.finish()
        return
    part = path.with_name(f".{path.name[:200]}.{os.urandom(8).hex()}.part")
    made = _make_folders(path)
    whole = False
    try:
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN_MODE)
            with os.fdopen(handle, "wb", buffering=0) as raw:
                output = Output(_All(raw), codec, encoding)
                yield output
                output.finish()
            part.chmod(_new_mode() if mode is None else stat.S_IMODE(mode) | _OWN_MODE)
            part.replace(path)
            whole = True
        except OSError as error:
            raise LogshedError(_told(path, error)) from error
    finally:
        if not whole:
            part.unlink(missing_ok=True)
            _remove_folders(made)


class _All:
    """Writes all of what it is given, where the system takes only a part at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def _make_folders(path: Path) -> list[Path]:
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LogshedError(_told(path, error)) from error
    return missing


def _remove_folders(made: list[Path]) -> None:
    for folder in made:
        try:
            folder.rmdir()
        except OSError:  # another file is in it
            return


def _new_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _told(path: Path, error: OSError) -> str:
    return f"cannot write {path}: {error.strerror}; nothing of it was left: free some space or name another place"
