"""The scheduler: starts what is due, each run in a process that records it, and waits for the next time."""

from __future__ import annotations

import hashlib
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from logshed.errors import LogshedError, UsageError
from logshed.pipeline.schedule_run import PROGRAM
from logshed.pipeline.schedule_state import RUNNING, Book, Due

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from logshed.settings import Settings

LONGEST_S = 10.0
"""Seconds after which the clock is looked at anew: it may have been set, or another process may have ended a run."""
BUSY = 75
"""Exit code of a run that another process has begun, EX_TEMPFAIL."""


def books(settings: Settings, root: Path) -> list[Book]:
    """What ``[[schedule]]`` names.

    Raises:
        UsageError: It names nothing.
    """
    if not settings.schedule:
        raise UsageError("cannot run by the clock: logshed.toml has no [[schedule]]; see docs/schedule.md")
    return [Book(root, schedule, settings.timezone or "UTC") for schedule in settings.schedule]


def chosen(settings: Settings, root: Path, name: str) -> Book:
    """The run of a name.

    Raises:
        UsageError: There is none.
    """
    found = {book.schedule.name: book for book in books(settings, root)}
    if name not in found:
        raise UsageError(f"cannot run {name}: no [[schedule]] has that name; the names are {', '.join(found)}")
    return found[name]


def listed(settings: Settings, root: Path, now: datetime) -> list[dict[str, Any]]:
    """Each run with its next time and what came of the last; nothing is made or changed."""
    rows = []
    for book in books(settings, root):
        schedule, state, busy = book.schedule, book.read(), book.busy()
        outcome = "" if state is None else state.outcome
        rows.append(
            {
                "name": schedule.name,
                "cron": schedule.cron,
                "timezone": book.zone,
                "run": schedule.run,
                "enabled": schedule.enabled,
                "next": book.cron.next(now).isoformat() if schedule.enabled else None,
                "running": busy,
                "last": state.started or None if state else None,
                "outcome": ("running" if busy else "cut off") if outcome == RUNNING else outcome or None,
                "exit_code": None if state is None else state.exit_code,
                "seconds": None if state is None else state.seconds,
            }
        )
    return rows


@dataclass(slots=True)
class Scheduler:
    """Starts what is due.

    Args:
        books: What there is to run.
        root: The lake.
        tell: Is told what begins and what came of it.
        clock: Tells the time.
        longest_s: Seconds after which the clock is looked at anew.
    """

    books: Sequence[Book]
    root: Path
    tell: Callable[[str], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    longest_s: float = LONGEST_S
    failed: int = 0
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def forever(self, stop: Event, wake: Event) -> None:
        """Run until ``stop`` is set; what runs then is waited for.

        Args:
            stop: Ends it.
            wake: Is set when a process has ended or ``stop`` was set.
        """
        while not stop.is_set():
            wake.clear()
            self._reap()
            self._start(jitter=True)
            wake.wait(self._rest())
        self._wait()

    def once(self) -> int:
        """Run what is due now, and wait for it; gives how many failed."""
        self._start(jitter=False)
        self._wait()
        return self.failed

    def end(self) -> None:
        """Ask all that runs to end."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)

    def _start(self, *, jitter: bool) -> None:
        now = self.clock()
        for book in self.books:
            name = book.schedule.name
            if not book.schedule.enabled or name in self._running:
                continue
            try:
                due = book.due(now)
            except LogshedError as error:  # a full disk stops no other run
                self.tell(f"{name}: {error}")
                continue
            if due is not None and (not jitter or now >= due.at + delay(book, due)):
                self._begin(book, due)

    def _begin(self, book: Book, due: Due) -> None:
        name = book.schedule.name
        told = f", for {due.missed + 1:,} times that passed" if due.missed else ""
        self.tell(f"{name}: begins{told}{', again' if due.attempt > 1 else ''}")
        words = ["--due", due.at.isoformat(), "--missed", str(due.missed), "--attempt", str(due.attempt)]
        self._running[name] = subprocess.Popen(  # noqa: S603 - our own program, without a shell
            [*PROGRAM, "schedule", "run", name, "--lake", str(self.root), *words],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the scheduler alone, which lets it end
        )

    def _reap(self) -> None:
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                self._ended(name)

    def _wait(self) -> None:
        for name, process in list(self._running.items()):
            process.wait()
            self._ended(name)

    def _ended(self, name: str) -> None:
        code = self._running.pop(name).returncode
        if code == BUSY:
            self.tell(f"{name}: another process does it")
            return
        self.failed += code != 0
        self.tell(f"{name}: {'done' if code == 0 else f'failed with exit code {code}'}")

    def _rest(self) -> float:
        """Seconds until something may be due."""
        now = self.clock()
        waiting = [book for book in self.books if book.schedule.enabled and book.schedule.name not in self._running]
        due = [(book.cron.next(now) - now).total_seconds() for book in waiting]
        delayed = any(book.schedule.jitter for book in waiting)
        return max(0.0, min([1.0 if delayed else self.longest_s, self.longest_s, *due]))


def delay(book: Book, due: Due) -> timedelta:
    """How much later a run begins: the same for a time, a name and a host, so that a restart changes nothing."""
    jitter = book.schedule.jitter or 0
    told = f"{due.at.isoformat()} {book.schedule.name} {socket.gethostname()}".encode()
    share = int.from_bytes(hashlib.sha256(told).digest()[:8]) / 2**64
    return timedelta(seconds=jitter * share)
