"""Emits stored records again, at the pace of their times, in less time: for demos, maps, and testing detections."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from logshed.errors import ReplayError
from logshed.pipeline.replay_ahead import Ahead, Portion
from logshed.pipeline.replay_clock import Clock
from logshed.pipeline.replay_events import ReplayEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.pipeline.replay_clock import Window
    from logshed.pipeline.replay_records import Records
    from logshed.pipeline.replay_sinks import Payload, Sink

__all__ = ["Command", "Replay", "ReplayEvents", "ReplayReport", "State"]

Command = Literal["pause", "back", "forward", "start", "loop", "quit"]
STEP = 0.05
"""Share of the play that ``back`` and ``forward`` go."""
TICK = 0.004
"""Seconds between two writes at least: what is due in between goes with the next one."""
TURN = 0.1
"""Seconds until commands are looked at, at the latest."""
RATE_SECONDS = 2.0
"""Over how long the rate is counted."""


class Controls(Protocol):
    """What moves a replay while it runs."""

    def now(self) -> float:
        """The present in seconds, without time in which the program was stopped."""
        ...

    def wait(self, seconds: float) -> list[Command]:
        """Wait so long, less where somebody commands something; what was commanded since the last time."""
        ...


class Unattended:
    """Nobody commands anything."""

    def now(self) -> float:
        """As in ``Controls``."""
        return time.monotonic()

    def wait(self, seconds: float) -> list[Command]:
        """As in ``Controls``."""
        time.sleep(seconds)
        return []


@dataclass(frozen=True, slots=True)
class State:
    """How a replay stands.

    Attributes:
        share: How much of this lap is played, 0 to 1.
        window: What is played.
        lap: How often the window was played before.
        records: Records emitted so far.
        rate: Records a second of late.
        late: Seconds that what was emitted last was late.
        paused: Whether it stands.
        loops: Whether it begins anew at the end.
    """

    share: float
    window: Window
    lap: int
    records: int
    rate: float
    late: float
    paused: bool
    loops: bool


@dataclass(slots=True)
class ReplayReport:
    """What came of a replay.

    Attributes:
        records: Records emitted, counted again in each lap.
        seconds: How long it took.
        latest: Seconds that the latest record was late.
        finished: Whether it came to its end.
    """

    records: int = 0
    seconds: float = 0.0
    latest: float = 0.0
    finished: bool = False


@dataclass(slots=True)
class Replay:
    """A replay.

    Attributes:
        records: Where the records come from.
        window: What is played.
        sink: Where they go.
        share: How much of the window is left out at its beginning, 0 to 1.
        loops: Whether it begins anew at the end.
        controls: What moves it while it runs.
        progress: Is told how it stands, after each write and at least ten times a second.
    """

    records: Records
    window: Window
    sink: Sink
    share: float = 0.0
    loops: bool = False
    controls: Controls = field(default_factory=Unattended)
    progress: Callable[[State], None] = lambda _: None
    report: ReplayReport = field(default_factory=ReplayReport, init=False)
    _clock: Clock = field(init=False)
    _rate: _Rate = field(init=False)
    _ahead: Ahead[Payload] = field(init=False)
    _readers: list[Ahead[Payload]] = field(default_factory=list, init=False)
    _portion: Portion[Payload] | None = field(default=None, init=False)
    _lap: int = field(default=0, init=False)
    _next: int = field(default=0, init=False)
    _late: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._clock = Clock(self.controls.now)
        self._rate = _Rate(self.controls.now)

    def run(self) -> ReplayReport:
        """Emit the records until the window ends.

        Raises:
            ReplayError: What they are emitted to does not take them; the text says how to go on.
            logshed.errors.LogshedError: They cannot be read.
        """
        self._read(self.share)
        begun = self.controls.now()
        try:
            self._go_to(self.share)
            self._clock.start()
            begun = self.controls.now()
            while self._step():
                pass
            self.sink.close()
        except ReplayError as error:
            percent = 100 * self._state(self._clock.place).share
            raise ReplayError(f"{error}; then go on with --start-at {percent:.1f}%") from None
        finally:
            self.report.seconds = self.controls.now() - begun
            self._ahead.stop()
            for reader in self._readers:
                reader.join()
        return self.report

    @property
    def _end(self) -> float:
        """The place at which this lap ends."""
        return (self._lap + 1) * self.window.length

    def _step(self) -> bool:
        """Emit what is due, wait for what comes next, obey; False where it is over."""
        place = self._clock.place
        wait = self._emit(place)
        self.progress(self._state(place))
        if wait is None and place >= self._end:
            if not self.loops:
                self.report.finished = True
                return False
            self._lap += 1
            if self._ahead.ended:
                self._read(0.0)
            return True
        wait = self._end - place if wait is None else wait
        commands = self.controls.wait(min(max(wait, TICK), TURN))
        return self._obey(commands)

    def _emit(self, place: float) -> float | None:
        """Emit what is due; returns the seconds until the next record, or None where this lap has no more."""
        sent = False
        while portion := self._portion or self._ahead.next():
            if portion.lap != self._lap:
                self._portion = portion
                return None
            size = len(portion.places)
            due = size if place >= self._end else int(np.searchsorted(portion.places, place, side="right"))
            if due > self._next:
                late = max(place - float(portion.places[self._next]), 0.0)
                self._late = max(self._late, late) if sent else late
                self.report.latest, sent = max(self.report.latest, late), True
                self.sink.send(portion.made, self._next, due)
                self.report.records += due - self._next
            self._portion, self._next = (portion, due) if due < size else (None, 0)
            if self._portion:
                return float(portion.places[due]) - place
        return None if self._ahead.ended else 0.0

    def _obey(self, commands: Sequence[Command]) -> bool:
        """Do what was commanded, in order; False ends it."""
        goal = share = self._state(self._clock.place).share
        for command in commands:
            if command == "quit":
                return False
            if command == "pause":
                (self._clock.start if self._clock.paused else self._clock.pause)()
            elif command == "loop":
                self.loops = not self.loops
            else:
                moved = {"back": goal - STEP, "forward": goal + STEP, "start": 0.0}[command]
                goal = min(max(moved, 0.0), 1.0)
        if goal != share:
            self._read(goal)
            self._go_to(goal)
        return True

    def _read(self, share: float) -> None:
        """Begin to read at a share of this lap."""
        for reader in self._readers:
            reader.stop()
        self._ahead = Ahead(self.records, self.window, self._lap, share, self.sink.make, lambda: self.loops)
        self._readers = [*(reader for reader in self._readers if reader.alive), self._ahead]
        self._portion, self._next = None, 0

    def _go_to(self, share: float) -> None:
        """Be there as soon as the first records are."""
        while self._portion is None and not self._ahead.ended:
            self._portion = self._ahead.next(TURN)
        self._clock.move((self._lap + share) * self.window.length)

    def _state(self, place: float) -> State:
        played = min(max(place / self.window.length - self._lap, 0.0), 1.0)
        late, records = (0.0 if self._clock.paused else self._late), self.report.records
        return State(
            played, self.window, self._lap, records, self._rate.of(records), late, self._clock.paused, self.loops
        )


class _Rate:
    """Records a second of late."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, records: int) -> float:
        """The rate when so many were emitted by now."""
        now = self._now()
        self._seen.append((now, records))
        while self._seen[0][0] < now - RATE_SECONDS:
            self._seen.popleft()
        first, before = self._seen[0]
        return (records - before) / (now - first) if now > first else 0.0
