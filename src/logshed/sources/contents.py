"""Reads a file of a machine as it was written: what rotation has compressed is unpacked."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from logshed.errors import GoneError, SourceError
from logshed.sources.codecs import CODECS, Decompressed
from logshed.sources.machines import BLOCK_BYTES
from logshed.sources.rawfile import RawFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from logshed.sources.machines import Entry, Machine

PACKED_BYTES = 2**28
"""Bytes of a compressed file that are taken: rotation had compressed it before it was read to its end."""


def is_packed(entry: Entry | None) -> bool:
    """Whether a file is compressed."""
    return entry is not None and _codec(entry) != ""


async def content(machine: Machine, entry: Entry, start: int) -> AsyncIterator[bytes]:
    """A file's bytes from an offset to its end, decompressed.

    Raises:
        GoneError: It is gone, or another one.
        SourceError: It cannot be read.
    """
    codec = _codec(entry)
    if not codec:
        async for block in machine.blocks(entry, start):
            yield block
        return
    if entry.size > PACKED_BYTES:
        raise SourceError(f"cannot read {entry.path}: it is too large to be unpacked; take it with `logshed ingest`")
    packed = b"".join([block async for block in machine.blocks(entry, 0)])
    stream = Decompressed(RawFile(io.BytesIO(packed)), codec)
    position = 0
    while data := await asyncio.to_thread(stream.read, BLOCK_BYTES):
        if position + len(data) > start:
            yield data[max(0, start - position) :]
        position += len(data)
    if stream.problem:
        raise GoneError(f"cannot read all of {entry.path}: {stream.problem}; it may just be being written")


async def first(machine: Machine, entry: Entry, start: int, size: int) -> bytes:
    """Some of these bytes, from an offset on; fewer where the file ends before.

    Raises:
        GoneError: It is gone, or another one.
        SourceError: It cannot be read.
    """
    found = b""
    blocks = content(machine, entry, start)
    try:
        async for block in blocks:
            found += block
            if len(found) >= size:
                break
    finally:
        await blocks.aclose()  # type: ignore[attr-defined]
    return found[:size]


def _codec(entry: Entry) -> str:
    return next((name for name, codec in CODECS.items() if entry.path.endswith(codec.suffixes)), "")
