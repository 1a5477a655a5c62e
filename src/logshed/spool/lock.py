"""The right to write a spool, which one process has at a time."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Self

from logshed.errors import SpoolError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LOCK = "lock"


class Lock:
    """The right to write a spool; closing it gives it back, and so does the end of the process.

    Args:
        root: The spool's folder, which is made.

    Raises:
        SpoolError: Another process has it, or the folder cannot be made.
    """

    def __init__(self, root: Path) -> None:
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = (root / LOCK).open("a+b", buffering=0)
        except OSError as error:
            raise SpoolError(f"cannot open the spool {root}: {error.strerror}; check the path") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            writer = _noted(root)
            who = f" (process {writer})" if writer else ""
            raise SpoolError(
                f"cannot write the spool {root}: another process writes it{who}; give this one a spool of its own"
            ) from None
        self._file.truncate(0)
        self._file.write(b"%d\n" % os.getpid())

    def close(self) -> None:
        """Give it back, once."""
        if not self._file.closed:
            self._file.truncate(0)
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_written(root: Path) -> bool:
    """Whether a process that still runs has taken the right to write a spool; the lock itself is not touched."""
    writer = _noted(root)
    if not writer:
        return False
    try:
        os.kill(writer, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as someone else
        return True
    return True


def _noted(root: Path) -> int:
    try:
        told = (root / LOCK).read_bytes().strip()
    except OSError:  # there is none, or it is not ours to read: nobody is known
        return 0
    return int(told) if told.isdigit() else 0
