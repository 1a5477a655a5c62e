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

MOST_PACKS = 10_000
"""Packs behind each other: tools that pack in blocks make many, and empty ones would keep us busy for nothing."""
_STEP = 65_536
"""Bytes that are given to an unpacker at once: what it leaves for the next pack is copied."""
_WINDOW = 23
"""zstd may look back 8 MiB at most (the logarithm), as RFC 9659 has it: a pack says how much memory it needs."""


class TooMuchError(ValueError):
    """More is packed in it than is allowed."""


def _deflate(head: memoryview) -> Any:
    """HTTP's ``deflate`` is zlib's form; some clients leave its two bytes out."""
    wrapped = len(head) > 1 and head[0] & 15 == zlib.DEFLATED and (head[0] << 8 | head[1]) % 31 == 0
    return isal_zlib.decompressobj(wbits=zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)


_KINDS: Mapping[str, Callable[[memoryview], Any]] = {
    "deflate": _deflate,
    "gzip": lambda _: isal_zlib.decompressobj(wbits=16 + zlib.MAX_WBITS),
    "zstd": lambda _: zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW}),
}
KINDS = frozenset(_KINDS)
"""All that can be unpacked."""
_BROKEN: tuple[Any, ...] = (zlib.error, isal_zlib.error, zstd.ZstdError, EOFError)  # isal's stubs say object


def inflated(data: bytes, kind: str, most: int) -> bytes:
    """The bytes that are packed in others, which may be several packs behind each other.

    Args:
        data: The pack.
        kind: Of ``KINDS``.
        most: Bytes that may be in it.

    Raises:
        TooMuchError: There are more.
        ValueError: The kind is another, or the pack is damaged or ends early.
    """
    if kind not in _KINDS:
        raise ValueError("it is packed in a way that is not known")
    view, pieces = memoryview(data), []
    at, packs, room = 0, 0, most + 1
    unpacker = None
    while at < len(view):
        if unpacker is None:
            packs += 1
            unpacker = _KINDS[kind](view[at : at + 2])
        step = view[at : at + _STEP]
        try:
            piece: bytes = unpacker.decompress(step, room)
        except _BROKEN as error:
            raise ValueError(f"what is packed in it is damaged ({type(error).__name__})") from None
        pieces.append(piece)
        room -= len(piece)
        if room <= 0:
            raise TooMuchError(f"more than {most:,} bytes are packed in it")
        if packs > MOST_PACKS:
            raise TooMuchError(f"more than {MOST_PACKS:,} packs are in it")
        at += len(step)
        if unpacker.eof:
            at -= len(unpacker.unused_data)
            unpacker = None
    if unpacker is not None:
        raise ValueError("what is packed in it ends early")
    return b"".join(pieces)
