"""What the disk may have of a spool after the power failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.spool.extent import Extent, ExtentFile, read_extent

if TYPE_CHECKING:
    from pathlib import Path


def crash(segment: Path, known: int, data: bytes) -> None:
    """Leave a segment as it is after a power failure.

    Args:
        segment: The newest.
        known: So many bytes of it a writer was told to be on the disk.
        data: What is there.
    """
    segment.write_bytes(data)
    before = read_extent(segment.parent)
    assert before is not None
    extent = ExtentFile(segment.parent)
    extent.write(Extent(before.first, int(segment.stem), known))
    extent.close()
