"""Unpacks what clients packed, and no more than is allowed: some bytes can hold thousands of times as many."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any

from isal import isal_zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KINDS: Mapping[str, Callable[[], Any]] = {
    "gzip": lambda: isal_zlib.decompressobj(wbits=16 + zlib.MAX_WBITS),
    "zstd": zstd.ZstdDecompressor,
}
_BROKEN: tuple[Any, ...] = (zlib.error, isal_zlib.error, zstd.ZstdError, EOFError)  # isal's stubs say object


def inflated(data: bytes, kind: str, most: int) -> bytes:
    """The bytes that are packed in others, which may be several packs behind each other.

    Args:
        data: The pack.
        kind: ``gzip`` or ``zstd``.
        most: Bytes that may be in it.

    Raises:
        ValueError: There are more, the kind is another, or the pack is damaged or ends early.
    """
    if kind not in _KINDS:
        raise ValueError("it is packed in a way that is not known")
    pieces: list[bytes] = []
    room = most + 1
    while data:
        unpacker = _KINDS[kind]()
        try:
            piece = unpacker.decompress(data, room)
        except _BROKEN as error:
            raise ValueError(f"what is packed in it is damaged ({type(error).__name__})") from None
        pieces.append(piece)
        room -= len(piece)
        if room <= 0:
            raise ValueError(f"more than {most:,} bytes are packed in it")
        if not unpacker.eof:
            raise ValueError("what is packed in it ends early")
        data = unpacker.unused_data
    return b"".join(pieces)
