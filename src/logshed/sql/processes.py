"""Keeps processes that run people's statements, one at a time each: starting one takes longer than most statements."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

from logshed.errors import QueryError
from logshed.sql import messages, spilling

IDLE = 4
"""Processes that are kept for the next statement."""
USES = 200
"""Statements after which a process is ended: what it has not given back goes with it."""
_ARROW = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
"""Its own allocator takes 1 GiB of addresses at once, which would count as data."""


class Process:
    """A process that runs one statement at a time."""

    def __init__(self) -> None:
        self.uses = 0
        self._started = False
        self.line, far = socket.socketpair()
        self.folder = tempfile.mkdtemp(prefix="sandbox-", dir=spilling.folder())
        path = os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))
        with far:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "logshed.sql.worker", str(far.fileno())],
                pass_fds=[far.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={"PYTHONPATH": path, "TMPDIR": self.folder, "PATH": os.defpath, "LANG": "C.UTF-8", **_ARROW},
            )

    def ready(self) -> None:
        """Wait until it has started, which takes no time of a statement's.

        Raises:
            QueryError: It ended while it started.
        """
        if self._started:
            return
        try:
            messages.receive(self.line)
        except (EOFError, OSError) as error:
            raise QueryError("cannot run the query: its process ended at once; see what it has written") from error
        self._started = True

    def end(self) -> None:
        """End it at once; twice is once."""
        self._process.kill()
        self._process.wait()
        self.line.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Pool:
    """Processes that wait for a statement: starting one takes longer than most statements."""

    def __init__(self) -> None:
        self._idle: list[Process] = []
        self._turn = threading.Lock()

    def take(self) -> Process:
        """One that waits, or a new one."""
        with self._turn:
            process = self._idle.pop() if self._idle else Process()
        process.uses += 1
        return process

    def give(self, process: Process) -> None:
        """Keep one that has done its work for the next."""
        with self._turn:
            if len(self._idle) < IDLE and process.uses < USES:
                self._idle.append(process)
                return
        process.end()

    def end(self) -> None:
        """End those that wait."""
        with self._turn:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()


pool = Pool()
atexit.register(pool.end)
