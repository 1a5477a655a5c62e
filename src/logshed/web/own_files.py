"""Dashboards and questions as their files are now: read anew when they change; of a wrong one the last good stays."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from logshed import dashboards, plugins, queries
from logshed.errors import LogshedError
from logshed.pipeline import boards
from logshed.queries import gold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.dashboards import Dashboard
    from logshed.dashboards.model import Asked
    from logshed.queries import Question

HOME = "overview"
"""The dashboard that the web application begins with."""
LOOK_SECONDS = 2.0
"""How often it is looked whether files have changed."""
FOLDERS = ("dashboards", "queries", "shops")
"""Whose files dashboards and questions are made of; those of Logshed and of packages change by installing alone."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        page: Its title and what is on it.
        layout: As the API and the page take it.
        asked: What it asks, by short names.
    """

    page: Dashboard
    layout: dict[str, Any]
    asked: dict[str, Asked]

    @property
    def href(self) -> str:
        """Where its page is."""
        return "/" if self.page.name == HOME else f"/dashboards/{self.page.name}"


@dataclass(frozen=True)
class Known:
    """What there is.

    Attributes:
        boards: The dashboards that the web application shows, in their order.
        questions: The named questions.
        gold: Short names of the gold tables.
        every: All dashboards, also those of reports alone.
        broken: What is wrong with files that cannot be used, by what they hold.
        number: Another one once something has changed.
    """

    boards: dict[str, Board]
    questions: dict[str, Question]
    gold: tuple[str, ...]
    every: dict[str, Dashboard] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    number: int = 0

    def board(self, name: str) -> Board:
        """A dashboard.

        Raises:
            HTTPException: There is none of this name.
        """
        if name not in self.boards:
            raise HTTPException(404, f"there is no dashboard {name!r}; there are {', '.join(self.boards)}")
        return self.boards[name]


class Own:
    """What there is in some roots beside ours; may be asked by several threads.

    Args:
        roots: The roots of the settings, ``plugins``.
    """

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self._roots = roots
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._state: tuple[object, ...] = ()
        self._known: Known | None = None

    def known(self) -> Known:
        """What there is now.

        Raises:
            logshed.errors.LogshedError: A file is wrong, and there is no good one from before.
        """
        with self._lock:
            if self._known is None or time.monotonic() - self._looked >= LOOK_SECONDS:
                state = tuple(self._files())
                if self._known is None or state != self._state:
                    self._known = self._read(self._known)
                self._state, self._looked = state, time.monotonic()
            return self._known

    def _files(self) -> Iterator[tuple[str, int, int, int]]:
        for root in (plugins.USER_FOLDER.expanduser(), *self._roots):
            for folder in FOLDERS:
                for path in sorted((root / folder).glob("*")):
                    try:
                        stat = path.stat()
                    except FileNotFoundError:  # it went just now
                        continue
                    yield str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _read(self, before: Known | None) -> Known:
        try:
            found = _loaded(self._roots, before)
        except LogshedError as error:  # what all are made of, such as a part of several questions
            if before is None:
                raise
            found = Known(before.boards, before.questions, before.gold, before.every, {"": str(error)}, before.number)
        for name, told in found.broken.items():
            if before is None or before.broken.get(name) != told:
                log.warning("%s; the last good one is used, if there was one", told)
        return found


def _loaded(roots: tuple[Path, ...], before: Known | None) -> Known:
    broken: dict[str, str] = {}
    questions = queries.load(roots, broken)
    questions |= {name: before.questions[name] for name in broken if before and name in before.questions}
    told = {f"question {name}": text for name, text in broken.items()}
    tables = tuple(gold.load(roots))
    broken = {}
    every = dashboards.load(roots, questions, broken)
    every |= {name: before.every[name] for name in broken if before and name in before.every}
    told |= {f"dashboard {name}": text for name, text in broken.items()}
    if HOME not in every:
        raise LogshedError(broken.get(HOME, f"cannot show the first page: there is no dashboard {HOME}; install anew"))
    shown = sorted((one for one in every.values() if one.shown != "report"), key=lambda one: (one.order, one.name))
    found = {one.name: Board(one, boards.layout(one, questions, tables), boards.asked(one)) for one in shown}
    return Known(found, questions, tables, every, told, before.number + 1 if before else 0)
