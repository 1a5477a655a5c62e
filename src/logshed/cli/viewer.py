"""What ``logshed view`` shows on a terminal: which lines, where it stands, what the keys do; curses only draws it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_LINES = 1_000_000
"""Lines that are held; what comes behind them is left to a narrower filter."""

ERROR = 17
LEVELS = (0, 9, 13, 17)
HELP = "q quit  / search  n N next, previous  & filter  l level  e E error  g G ends  ← → sideways"


@dataclass(frozen=True, slots=True)
class Line:
    """One line on the screen.

    Attributes:
        text: What it says, safe to print.
        severity: OpenTelemetry's number, 0 where unknown.
        file: Where it is from.
    """

    text: str
    severity: int
    file: str


@dataclass(slots=True)
class Viewer:
    """The state of the screen; lines are read from their source only as far as they are looked at.

    Attributes:
        source: Where lines come from.
        lines: What was read of it.
        shown: Places in ``lines`` of those that pass the filters.
        top: Which of the shown lines is the first on the screen.
        left: The first column on the screen.
        level: Least severity that is shown.
        pattern: What a line must contain to be shown.
        search: What is searched for.
        message: What to tell in the last line, once.
        ended: Whether the source has no more.
    """

    source: Iterator[Line]
    lines: list[Line] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    top: int = 0
    left: int = 0
    level: int = 0
    pattern: re.Pattern[str] | None = None
    search: re.Pattern[str] | None = None
    message: str = ""
    ended: bool = False

    def read(self, count: int) -> None:
        """Read on until so many lines are shown, or there are no more."""
        while len(self.shown) < count and not self.ended:
            line = next(self.source, None)
            if line is None or len(self.lines) >= MOST_LINES:
                self.ended = True
                self.message = f"first {MOST_LINES:,} lines only; filter with --where or --grep" if line else ""
                return
            self.lines.append(line)
            if self._passes(line):
                self.shown.append(len(self.lines) - 1)

    def screen(self, height: int) -> list[Line]:
        """The lines that are on a screen of this height."""
        self.read(self.top + height)
        self.top = max(0, min(self.top, len(self.shown) - height))
        return [self.lines[place] for place in self.shown[self.top : self.top + height]]

    def status(self) -> str:
        """What the last line of the screen says."""
        if self.message:
            told, self.message = self.message, ""
            return told
        if not self.shown:
            return f"no line to show  {HELP}"
        line = self.lines[self.shown[min(self.top, len(self.shown) - 1)]]
        more = "" if self.ended else "+"
        filters = f"  & {self.pattern.pattern}" if self.pattern else ""
        level = f"  level ≥ {self.level}" if self.level else ""
        return f"{line.file}  {self.top + 1:,} of {len(self.shown):,}{more}{filters}{level}  {HELP}"

    def press(self, key: str, height: int) -> bool:
        """Do what a key stands for; returns whether to go on."""
        steps = {"down": 1, "up": -1, "page down": height, "page up": -height, "half": height // 2}
        if key == "q":
            return False
        if key in steps:
            self.top = max(0, self.top + steps[key])
        elif key in ("left", "right"):
            self.left = max(0, self.left + (20 if key == "right" else -20))
        elif key == "g":
            self.top = 0
        elif key == "G":
            self.read(MOST_LINES)
            self.top = len(self.shown)
        elif key == "l":
            self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
            self._filter()
        elif key in ("n", "N") and self.search:
            self._go(lambda line: bool(self.search and self.search.search(line.text)), back=key == "N")
        elif key in ("e", "E"):
            self._go(lambda line: line.severity >= ERROR, back=key == "E")
        return True

    def ask(self, what: str, text: str) -> None:
        """Search for (``/``) or filter by (``&``) a regular expression; an empty one takes the filter away."""
        try:
            pattern = re.compile(text, re.IGNORECASE) if text else None
        except re.error as error:
            self.message = f"cannot search for {text!r}: {error}"
            return
        if what == "&":
            self.pattern = pattern
            self._filter()
            return
        self.search = pattern or self.search
        self.press("n", 1)

    def _passes(self, line: Line) -> bool:
        return line.severity >= self.level and not (self.pattern and not self.pattern.search(line.text))

    def _filter(self) -> None:
        """Choose anew what is shown, and stay at the place where the screen was."""
        place = self.shown[min(self.top, len(self.shown) - 1)] if self.shown else 0
        self.shown = [number for number, line in enumerate(self.lines) if self._passes(line)]
        self.top = next((number for number, own in enumerate(self.shown) if own >= place), len(self.shown))

    def _go(self, hit: Callable[[Line], bool], *, back: bool) -> None:
        """Go to the next line, or the one before, that is a hit."""
        place = self.top + (-1 if back else 1)
        while place >= 0:
            self.read(place + 1)
            if place >= len(self.shown):
                break
            if hit(self.lines[self.shown[place]]):
                self.top = place
                return
            place += -1 if back else 1
        self.message = "no more"
