"""Compressed files: told by their first bytes, decoded member after member in bounded memory."""

from __future__ import annotations

import bz2
import lzma
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from isal import igzip_lib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

PARQUET = "parquet"
"""Not a stream of compressed bytes, but rows that are read as lines."""
_PARQUET_MAGIC = b"PAR1"
INPUT_BYTES = 256 * 1024
"""Compressed bytes that are read at a time."""


class ByteStream(Protocol):
    """Bytes in their order, once."""

    @property
    def problem(self) -> str:
        """Why the stream ended before its end, or empty."""

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end or where the rest cannot be read."""

    def close(self) -> None:
        """Give back what is held open."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Codec:
    """A way to compress.

    Attributes:
        title: Its name in messages.
        magics: What a file of it begins with.
        suffixes: What the names of its files end with.
        decompressor: Makes a decoder of one member (stream, frame).
    """

    title: str
    magics: tuple[bytes, ...]
    suffixes: tuple[str, ...]
    decompressor: Callable[[], _Decompressor]


def _gzip() -> _Decompressor:
    decompressor: _Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return decompressor


CODECS: dict[str, Codec] = {
    "gzip": Codec("gzip", (b"\x1f\x8b\x08",), (".gz",), _gzip),
    "bzip2": Codec(
        "bzip2",
        tuple(b"BZh%d" % level + mark for level in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90")),
        (".bz2",),
        bz2.BZ2Decompressor,
    ),
    "xz": Codec("xz", (b"\xfd7zXZ\x00",), (".xz",), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
    "zstd": Codec(
        "zstd",
        (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + low]) + b"\x2a\x4d\x18" for low in range(16))),
        (".zst", ".zstd"),
        zstd.ZstdDecompressor,
    ),
}

# isal's stubs call its exception an object
_ISAL_ERROR = cast("type[Exception]", igzip_lib.IsalError)
_BROKEN = (OSError, EOFError, ValueError, lzma.LZMAError, zstd.ZstdError, _ISAL_ERROR)


def sniff(head: bytes) -> str:
    """Name of the codec whose files begin like ``head``, ``parquet`` for such a file, else ``plain``."""
    if head.startswith(_PARQUET_MAGIC):
        return PARQUET
    for name, codec in CODECS.items():
        if head.startswith(codec.magics):
            return name
    return "plain"


class Decompressed:
    """The decoded bytes of all members of a compressed stream; what can be decoded is given out before a break."""

    def __init__(self, raw: ByteStream, codec: str) -> None:
        self._raw = raw
        self._codec = CODECS[codec]
        self._member: _Decompressor | None = self._codec.decompressor()
        self._pending = b""
        self._problem = ""
        self._given = 0

    @property
    def problem(self) -> str:
        """Why the stream ended before its end, or empty."""
        return self._problem or self._raw.problem

    def read(self, size: int) -> bytes:
        """At most ``size`` decoded bytes; none at the end or where the rest cannot be decoded."""
        while self._member is not None:
            try:
                piece = self._step(self._member, size)
            except _BROKEN as error:
                self._break(f"damaged {self._codec.title} data ({error})")
                return b""
            if piece:
                self._given += len(piece)
                return piece
        return b""

    def close(self) -> None:
        """Give back what is held open."""
        self._raw.close()

    def _step(self, member: _Decompressor, size: int) -> bytes:
        if member.eof:
            self._next_member(member)
            return b""
        if not member.needs_input:
            return member.decompress(b"", size)
        data = self._pending or self._raw.read(INPUT_BYTES)
        self._pending = b""
        if not data:
            self._break(f"truncated {self._codec.title} data")
            return b""
        return member.decompress(data, size)

    def _next_member(self, member: _Decompressor) -> None:
        """Go to the next member; zero bytes between or behind members are padding."""
        rest = member.unused_data.lstrip(b"\0")
        while len(rest) < max(map(len, self._codec.magics)):
            more = self._raw.read(INPUT_BYTES)
            if not more:
                break
            rest = (rest + more).lstrip(b"\0")
        if not rest:
            self._member = None
        elif rest.startswith(self._codec.magics):
            self._member, self._pending = self._codec.decompressor(), rest
        else:
            self._break(f"no {self._codec.title} data where more was expected")

    def _break(self, cause: str) -> None:
        self._member = None
        self._problem = f"{cause} after {self._given:,} decoded bytes"
