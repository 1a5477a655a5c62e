"""The right to write a spool, which one process has at a time."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Self

from logshed.errors import SpoolError
from logshed.spool.disk import problem

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
            self._handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SpoolError(f"cannot open the spool {root}: {error.strerror}; check the path") from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._note(os.getpid())
        except BlockingIOError:
            os.close(self._handle)
            writer = _noted(root)
            who = f" (process {writer})" if writer else ""
            raise SpoolError(
                f"cannot write the spool {root}: another process writes it{who}; give this one a spool of its own"
            ) from None
        except OSError as error:
            os.close(self._handle)
            raise problem(root / LOCK, error) from None

    def close(self) -> None:
        """Give it back, once."""
        if self._handle >= 0:
            self._note(0)
            os.close(self._handle)
            self._handle = -1

    def _note(self, process: int) -> None:
        """Write who has it over who had it, which takes no room on a disk that is full by now."""
        os.pwrite(self._handle, b"%-19d\n" % process, 0)

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
