"""Some room on the disk that a spool gives up to be emptied: on a full disk even taking away needs a few bytes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RESERVE = "reserve"
SHARE = 128
"""Part of a spool's limit that is held: of 1 GiB 8 MiB, for the ids of a segment and where 10,000 collectors go on."""
LEAST_BYTES = 2**16


def hold(root: Path, limit: int) -> None:
    """Hold the room, if there is any."""
    path = root / RESERVE
    if path.exists() or not hasattr(os, "posix_fallocate"):
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(handle, 0, max(limit // SHARE, LEAST_BYTES))
        finally:
            os.close(handle)
    except OSError:  # the disk is full, or cannot set room aside: it is tried again when there is some
        path.unlink(missing_ok=True)


def give_up(root: Path) -> None:
    """Give it up."""
    (root / RESERVE).unlink(missing_ok=True)
