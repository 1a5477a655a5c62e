"""What is known of each run by the clock: which time was done last, and what came of it. A file and a lock for each."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from logshed.errors import BusyError, LogshedError
from logshed.lake.folder import write_atomically
from logshed.pipeline.cron import Cron

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.schedule_settings import Schedule

FOLDER = "schedule"
RUNNING = "running"
MINUTE = timedelta(minutes=1)
ATTEMPTS = 2
"""How often a run is begun that is cut off each time: it may be what takes the machine down."""
AHEAD = timedelta(hours=1)
"""Farther ahead than this is no last time, but the trace of a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Due:
    """A run whose time has come.

    Attributes:
        at: That time.
        missed: Times before it that passed since the last one that was done.
        attempt: How often it was begun with this one.
    """

    at: datetime
    missed: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a run.

    Attributes:
        cron: The expression that ``due`` is a time of.
        zone: Its zone.
        due: The newest time that was done or begun, or before which nothing is due; ISO 8601.
        outcome: ``running``, ``ok``, ``failed``, ``timeout``, ``stopped``; empty where it never ran.
        started: When the last run began; ISO 8601.
        ended: When it ended.
        exit_code: With what.
        seconds: How long it took.
        attempt: How often it was begun for ``due``.
    """

    cron: str
    zone: str
    due: str
    outcome: str = ""
    started: str = ""
    ended: str = ""
    exit_code: int | None = None
    seconds: float | None = None
    attempt: int = 1

    @property
    def at(self) -> datetime:
        """``due`` as a moment."""
        return datetime.fromisoformat(self.due)


class Book:
    """The state of one run and its lock, in the lake's folder.

    Args:
        root: The lake's folder.
        schedule: The run's settings.
        zone: The zone of its times where its settings name none.
    """

    def __init__(self, root: Path, schedule: Schedule, zone: str) -> None:
        self.schedule = schedule
        self.zone = schedule.timezone or zone
        self.cron = Cron(schedule.cron, self.zone)
        self._path = root / FOLDER / f"{schedule.name}.json"

    def read(self) -> State | None:
        """What is known; None where nothing is, or what is there is damaged."""
        try:
            state = State(**json.loads(self._path.read_text("utf-8")))
            sound = state.at.tzinfo is not None
        except (FileNotFoundError, ValueError, TypeError):  # what a full disk has cut begins anew
            return None
        return state if sound else None

    def write(self, state: State) -> None:
        """Put down what is known.

        Raises:
            LogshedError: It cannot be written.
        """
        try:
            write_atomically(self._path, json.dumps(asdict(state)) + "\n")
        except OSError as error:
            raise LogshedError(
                f"cannot write {self._path}: {error.strerror}; free some space, or check the path"
            ) from None

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Hold the run's lock: there is one run at a time, whoever starts it. Gives the file's descriptor.

        Raises:
            BusyError: Another process holds it.
        """
        try:
            self._path.parent.mkdir(exist_ok=True)
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LogshedError(
                f"cannot lock {self._path.parent}: {error.strerror}; check the path and its permissions"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise BusyError(
                f"cannot run {self.schedule.name}: it is running already; wait until it has ended"
            ) from None
        try:
            yield handle
        finally:
            os.close(handle)

    def busy(self) -> bool:
        """Whether it is running; nothing is made to find out."""
        try:
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def due(self, now: datetime) -> Due | None:
        """The run that is to be started now, if any; what is seen first, or changed, begins with this minute."""
        try:
            with self.lock():
                state = self.read()
                if (
                    state is None
                    or (state.cron, state.zone) != (self.schedule.cron, self.zone)
                    or state.at > now + AHEAD
                ):
                    state = self._anew(state, now)
                return self._due(state, now)
        except BusyError:
            return None

    def _anew(self, state: State | None, now: datetime) -> State:
        begin = now.replace(second=0, microsecond=0) - timedelta(seconds=1)
        told = State("", "", "") if state is None else state
        made = replace(told, cron=self.schedule.cron, zone=self.zone, due=begin.isoformat())
        self.write(made)
        return made

    def _due(self, state: State, now: datetime) -> Due | None:
        latest = self.cron.latest(now)
        cut = state.outcome == RUNNING and self.schedule.catch_up and state.attempt < ATTEMPTS
        if latest is None or latest <= state.at:
            return Due(state.at, attempt=state.attempt + 1) if cut else None
        if not self.schedule.catch_up and now - latest >= MINUTE:
            self.write(replace(state, due=latest.isoformat()))
            return None
        return Due(latest, self.cron.count(state.at, latest) - 1)
