"""Lets one at a time change what lies beside a lake's tables, also among processes."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from logshed.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = ".lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder until the end of the block; others who want it wait.

    Args:
        folder: The folder, which is made.

    Raises:
        LakeError: It cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
        handle = (folder / FILE).open("w")
    except OSError as error:
        raise LakeError(f"cannot write {folder}: {error.strerror}; check the path and its permissions") from None
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
