"""A replay in the terminal: its keys, the line that says where it is, and a terminal that is always put back."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from logshed.cli.cells import fitted
from logshed.cli.progress import SECONDS_BETWEEN_LINES
from logshed.pipeline.replay_clock import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from types import FrameType

    from logshed.pipeline.replay import Command, ReplayReport, State

HINT = "space pauses, ← and → move by 5 %, Home begins anew, l loops, q ends"
SECONDS_BETWEEN_DRAWINGS = 0.1
DEFAULT_WIDTH = 80
_KEYS: dict[bytes, Command] = {
    b" ": "pause", b"p": "pause", b"q": "quit", b"l": "loop", b"0": "start",
    b"\x1b[D": "back", b"\x1bOD": "back",
    b"\x1b[C": "forward", b"\x1bOC": "forward",
    b"\x1b[H": "start", b"\x1bOH": "start", b"\x1b[1~": "start",
}  # fmt: skip
_CLEAR = "\r\x1b[2K"


class Keys:
    """Keys of a terminal and SIGUSR1 as commands; time in which the program was stopped does not count.

    Args:
        fd: The terminal, or None where there is none.
    """

    def __init__(self, fd: int | None) -> None:
        self._fd = fd
        self._before: list[Any] | None = None
        self._away = 0.0
        self._asked: list[Command] = []

    @property
    def attended(self) -> bool:
        """Whether somebody can press keys."""
        return self._fd is not None

    def now(self) -> float:
        """As in ``replay.Controls``."""
        return time.monotonic() - self._away

    def wait(self, seconds: float) -> list[Command]:
        """As in ``replay.Controls``."""
        if self._before is None or self._fd is None:
            time.sleep(seconds)
        elif select.select([self._fd], [], [], seconds)[0]:
            self._asked += commands(self._pressed(self._fd))
        found, self._asked = self._asked, []
        return found

    def _pressed(self, fd: int) -> bytes:
        """The keys; none from now on where the terminal has gone."""
        try:
            keys = os.read(fd, 64)
        except OSError:
            keys = b""
        if not keys:
            self._fd = None
        return keys

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take keys one by one and without an echo; whatever ends it, the terminal is as it was."""
        handlers: dict[int, Callable[[int, FrameType | None], None]] = {
            signal.SIGUSR1: lambda *_: self._asked.append("pause"),
            signal.SIGTSTP: lambda *_: self._stopped(),
            signal.SIGQUIT: _interrupted,
            signal.SIGTERM: _interrupted,
            signal.SIGHUP: _interrupted,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            self._take()
            yield
        finally:
            self._put_back()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self) -> None:
        """Only where this program is in the foreground: another one's terminal is none of its business."""
        import termios  # noqa: PLC0415 - only for terminals
        import tty  # noqa: PLC0415 - as above

        if self._fd is not None and _in_foreground(self._fd):
            self._before = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd, termios.TCSADRAIN)

    def _put_back(self) -> None:
        import termios  # noqa: PLC0415 - only for terminals

        if self._fd is not None and self._before is not None and _in_foreground(self._fd):
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
        self._before = None

    def _stopped(self) -> None:
        """Stop as every program does at Ctrl-Z, and go on from there."""
        begun = time.monotonic()
        self._put_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._away += time.monotonic() - begun
        self._take()


class Status:
    """Says where a replay is: a line that changes on a terminal, else one now and then; on standard error.

    Args:
        zone: The zone of times.
        shared: Whether records go to the same terminal: the line makes room for them.
    """

    def __init__(self, zone: tzinfo, *, shared: bool) -> None:
        self._zone, self._shared = zone, shared
        self._terminal = sys.stderr.isatty()
        self._last = time.monotonic() if not self._terminal else 0.0
        self._drawn = False

    def update(self, state: State) -> None:
        """Show it, if it is time to."""
        now = time.monotonic()
        if now - self._last < (SECONDS_BETWEEN_DRAWINGS if self._terminal else SECONDS_BETWEEN_LINES):
            return
        self._last = now
        text = line(state, self._zone)
        if self._terminal:
            size = os.get_terminal_size(sys.stderr.fileno()).columns or DEFAULT_WIDTH
            print(f"\r{fitted(text, max(size - 1, 1))}", end="", file=sys.stderr, flush=True)
            self._drawn = True
        else:
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Make room for other lines."""
        if self._drawn:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
            self._drawn = False

    def before_records(self) -> None:
        """Make room for records, where they go to the same terminal."""
        if self._shared:
            self.clear()


def line(state: State, zone: tzinfo) -> str:
    """Where a replay is, as one line."""
    from datetime import datetime  # noqa: PLC0415 - with its like

    at = datetime.fromtimestamp(state.window.moment(state.share) // MICROSECONDS, zone)
    length = state.window.length
    parts = [f"{100 * state.share:5.1f} %", f"{clock(state.share * length)} of {clock(length)}"]
    parts += ["paused"] if state.paused else []
    parts += [f"{state.late:.1f} s late"] if state.late >= LATE else []
    parts += [f"lap {state.lap + 1}"] if state.lap or state.loops else []
    parts += [
        f"{at:%Y-%m-%d %H:%M:%S}" + ("Z" if not at.utcoffset() else f"{at:%z}"),
        f"{state.records:,} records",
        f"{state.rate:,.0f}/s",
    ]
    return " · ".join(parts)


LATE = 0.25
"""Seconds from which on lateness is told."""


def told(report: ReplayReport) -> str:
    """What came of it, as one line."""
    late = f"{1000 * report.latest:.0f} ms" if report.latest < 1 else f"{report.latest:.1f} s"
    verb = "Replayed" if report.finished else "Ended after"
    return f"{verb} {report.records:,} records in {clock(report.seconds)}, the latest of them {late} after its time."


def clock(seconds: float) -> str:
    """A length of time as people write it: 2:30, 1:05:00."""
    whole = int(seconds + 0.5)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""  # noqa: PLR2004 - an hour
    return f"{hours}{whole // 60 % 60:{'02d' if hours else 'd'}}:{whole % 60:02d}"


def commands(keys: bytes) -> list[Command]:
    """The commands of keys that were pressed; others mean nothing."""
    found: list[Command] = []
    while keys:
        known = next((key for key in _KEYS if keys.startswith(key)), keys[:1])
        found += [_KEYS[known]] if known in _KEYS else []
        keys = keys.removeprefix(known)
    return found


def _in_foreground(fd: int) -> bool:
    """Whether a terminal's keys are for this program; one that controls nothing has no background."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True


def _interrupted(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
