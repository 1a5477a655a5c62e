"""One run by the clock: a process of Logshed's own, its time limit, and the record of what came of it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from logshed.pipeline.schedule_state import RUNNING, Due, State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from logshed.pipeline.schedule_state import Book

PROGRAM = (sys.executable, "-P", "-m", "logshed")
"""The program that runs now; ``-P`` keeps a folder named logshed where it runs from being taken for it."""
TIMED_OUT = 124
"""Exit code of a run that was ended for its time, as of ``timeout``."""
GRACE_S = 10
"""Seconds between asking a process to end and ending it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        state: What is known of it now.
        due: What it was for.
        cpu_s: Processor seconds that it took.
    """

    state: State
    due: Due
    cpu_s: float

    def details(self, words: list[str]) -> dict[str, Any]:
        """For the audit trail; of the words only the command, as the others may hold secrets."""
        state = self.state
        told = {"due": state.due, "started": state.started, "ended": state.ended, "exit_code": state.exit_code}
        counted = {"seconds": state.seconds, "cpu_seconds": round(self.cpu_s, 3)}
        return {"command": words[0], **told, **counted, "missed": self.due.missed, "attempt": self.due.attempt}


def run(book: Book, root: Path, due: Due | None = None, clock: Callable[[], datetime] | None = None) -> Outcome | None:
    """Run it, and put down what came of it.

    The lock goes on to the process: where this one is killed, nobody starts another run while that goes on.

    Args:
        book: The run.
        root: The lake that it works on.
        due: What it is for; None is a person's wish, which counts for what is due now.
        clock: Tells the time.

    Returns:
        What came of it; None where another process did it meanwhile.

    Raises:
        BusyError: It is running already.
        logshed.errors.LogshedError: Its state cannot be written; nothing was run.
    """
    clock = clock or (lambda: datetime.now(UTC))
    with book.lock() as handle:
        now = clock()
        state = book.read()
        if due is not None and state is not None and state.at >= due.at and state.outcome != RUNNING:
            return None
        due = due or Due(book.cron.latest(now) or now)
        begun = State(book.schedule.cron, book.zone, due.at.isoformat(), RUNNING, now.isoformat(), attempt=due.attempt)
        book.write(begun)
        clocked, used = time.monotonic(), _cpu()
        outcome, code = _process(book.schedule.words, root, handle, book.schedule.timeout)
        seconds = round(time.monotonic() - clocked, 3)
        ended = replace(begun, outcome=outcome, exit_code=code, ended=clock().isoformat(), seconds=seconds)
        book.write(ended)
    return Outcome(ended, due, _cpu() - used)


def _process(words: list[str], root: Path, lock: int, timeout: int | None) -> tuple[str, int]:
    """Outcome and exit code of a command."""
    with _Asked() as asked:
        process = subprocess.Popen(  # noqa: S603 - our own program, without a shell
            [*PROGRAM, *words],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LOGSHED_LAKE": str(root)},
            start_new_session=True,
            pass_fds=(lock,),
        )
        asked.hand_to(process)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            end(process)
            return "timeout", TIMED_OUT
    code = code if code >= 0 else 128 - code
    return ("stopped" if asked.times else "failed" if code else "ok"), code


class _Asked:
    """Hands SIGTERM and SIGINT on to a process: asked once it is to end, asked again it is ended.

    Attributes:
        times: How often one came.
    """

    def __init__(self) -> None:
        self.times = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # another one gets no signals
            self._before = {number: signal.signal(number, self._take) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hand_to(self, process: subprocess.Popen[bytes]) -> None:
        """The process is there now; what came before is for it, too."""
        self._process = process
        if self.times:
            _signal(process, signal.SIGTERM)

    def _take(self, *_: object) -> None:
        self.times += 1
        if self._process is not None:
            _signal(self._process, signal.SIGTERM if self.times == 1 else signal.SIGKILL)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started: ask first."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
