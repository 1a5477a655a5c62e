"""What of an ingest's work may be committed, where a file could not be read on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.lake.commit import remove_files
from logshed.work import UNTIL_EOF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.engines import Bundle
    from logshed.work import DataFile, Written


def unbroken(
    written: Sequence[tuple[Written, ...]], work: Sequence[Bundle], broken: set[str]
) -> list[tuple[Written, ...]]:
    """What may be committed: of a file that could not be read on, only what lies before the break.

    The ledger must have no gap, since reading goes on at its end. Files of what may not be committed are removed.

    Args:
        written: What was written, by bundles.
        work: The bundles that were asked for.
        broken: Locators of files that could not be read on; those of this work are added.
    """
    reached = {(piece.split.locator, piece.split.start): piece.split.end for bundle in written for piece in bundle}
    breaks: dict[str, int] = {}
    for split in (split for bundle in work for split in bundle):
        end = reached.get((split.locator, split.start), -1)
        if end < 0 or (split.end != UNTIL_EOF and end < split.end):
            breaks[split.locator] = min(breaks.get(split.locator, UNTIL_EOF), split.start)
    broken |= breaks.keys()
    kept = []
    for bundle in written:
        if all(piece.split.start <= breaks.get(piece.split.locator, UNTIL_EOF) for piece in bundle):
            kept.append(bundle)
        else:
            remove_files(files_of(bundle))
    return kept


def files_of(bundle: tuple[Written, ...]) -> list[DataFile]:
    """The data files of a bundle."""
    return [file for piece in bundle for file in piece.data_files]
