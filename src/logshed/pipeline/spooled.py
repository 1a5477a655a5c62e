"""The lines of a spool as frames, for those who want them elsewhere than in a lake."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import polars as pl

from logshed.sources import reading
from logshed.sources.spool import SPOOL, targets
from logshed.work import Split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def exported(root: Path, source: str = "*") -> Iterator[pl.DataFrame]:
    """The lines of a spool, stream by stream: ``source``, ``collection``, ``offset``, ``line``.

    Args:
        root: The spool's folder.
        source: A glob on the sources' names.

    Raises:
        SpoolError: It cannot be read, or it is damaged.
    """
    for target in targets(f"{SPOOL}{root}"):
        if not fnmatchcase(target.source, source):
            continue
        split = Split(target.source, target.locator, target.generation, target.start, target.size)
        with reading.read(split) as lines:
            for frame in lines:
                yield frame.select(
                    source=pl.lit(target.source),
                    collection=pl.lit(target.collection),
                    offset="offset",
                    line="text",
                )
