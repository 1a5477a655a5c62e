"""Gives a process one folder for all that it spills, and removes those of processes that were killed.

Who is killed removes nothing, and what a question spills may be many gigabytes. A lock that ends with its process, in
whatever container that was, tells whose folder nobody uses any more.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

PREFIX = "logshed-spilled-"
LOCK = "in-use"
_mine: dict[int, Path] = {}
_turn = threading.Lock()


def folder() -> Path:
    """This process's folder; it goes when the process ends, or when another begins after it was killed."""
    with _turn:
        process = os.getpid()  # a fork has its parent's memory, and not its folder
        if process not in _mine or not _mine[process].is_dir():
            _mine.clear()
            _tidy()
            _mine[process] = _made()
            atexit.register(_remove, process, _mine[process])
        return _mine[process]


def use(given: Path) -> None:
    """Use a folder that another process has made for this one, and removes."""
    with _turn:
        _mine[os.getpid()] = given


def _made() -> Path:
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    new = made / f"{LOCK}.new"
    held = os.open(new, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)  # it stays open as long as the process lives
    fcntl.flock(held, fcntl.LOCK_EX)
    new.rename(made / LOCK)
    return made


def _remove(process: int, made: Path) -> None:
    if os.getpid() == process:
        shutil.rmtree(made, ignore_errors=True)


def _tidy() -> None:
    for one in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):  # it is used, is another user's, or another process was quicker
            held = os.open(one, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(one.parent)
            finally:
                os.close(held)
