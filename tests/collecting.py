"""`logshed collect tail` in a process of its own, and what tells whether every numbered line came once."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from logshed.api import Lake
from logshed.settings import Settings
from logshed.spool import frames
from logshed.spool.frames import DamageError
from logshed.spool.listing import segments

if TYPE_CHECKING:
    from pathlib import Path

    from tests.started import Process, Starter

NUMBERS = """
SELECT count(*), count(DISTINCT n), min(n), max(n)
FROM (SELECT regexp_extract(text, 'number=(\\d+)', 1)::int AS n FROM lines WHERE text LIKE '%number=%')
"""


class Collecting:
    """`logshed collect tail` in processes of its own.

    Args:
        folder: Where it runs.
        starter: What starts it.
        environment: Its environment.
        words: Its words.
        within: What it is started by instead, such as ``ip netns exec``.
    """

    def __init__(
        self,
        folder: Path,
        starter: Starter,
        environment: dict[str, str],
        *words: str | Path,
        within: tuple[str, ...] = (),
    ) -> None:
        self.folder, self._environment, self._words = folder, environment, [*map(str, words)]
        self._starter, self._within = starter, within
        self._said = folder / "said"
        self.process: Process | subprocess.Popen[str] | None = None

    def start(self, *more: str) -> Process | subprocess.Popen[str]:
        """Start it, also after its end."""
        words = ["collect", "tail", *self._words, *more]
        environment = {**self._environment, "HOME": str(self.folder)}
        if not self._within:
            self._said.unlink(missing_ok=True)
            self.process = self._starter.open(words, self.folder, environment, self._said)
            return self.process
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [*self._within, sys.executable, "-m", "logshed", *words],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        return self.process

    @property
    def said(self) -> str:
        """What it has told by now."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    def once(self, *more: str) -> tuple[int, str, str]:
        """Run it to its end."""
        out, _ = self.start(*more).communicate(timeout=90)
        return self.start_code, out, self.said

    @property
    def start_code(self) -> int:
        """Its exit code."""
        assert self.process is not None
        assert self.process.returncode is not None
        return self.process.returncode

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it: its exit code and what it told."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=90)
        return self.start_code, self.said

    def lines(self) -> int:
        """Lines in the lake by now."""
        if not (self.folder / "logshed-lake" / "logshed-lake.json").is_file():
            return 0
        return int(self.lake().query("SELECT count(*) FROM lines").rows()[0][0])

    def rested(self) -> list[int]:
        """Numbers of the lines in the spool by now, in their order."""
        found: list[int] = []
        spool = self.folder / "logshed-spool"
        for segment in segments(spool) if spool.is_dir() else ():
            with segment.open("rb") as file, suppress(DamageError):  # the last frame may just be being written
                for frame in frames.scan(file):
                    found += map(int, re.findall(rb"number=([0-9]+)", frames.lines_of(file, frame)))
        return found

    def wait_for(self, lines: int, seconds: float = 90) -> None:
        """Wait until so many lines, numbered from 0 on, are in the spool.

        Raises:
            AssertionError: They do not come; which ones, and what it told.
        """
        until = time.monotonic() + seconds
        while len(found := self.rested()) < lines:
            missing = sorted(set(range(lines)) - set(found))
            assert time.monotonic() < until, f"{len(missing)} of {lines} from {missing[0]} on do not come: {self.said}"
            time.sleep(0.3)

    def lake(self) -> Lake:
        """The lake."""
        return Lake.open(self.folder / "logshed-lake", settings=Settings.load(self.folder, environ={}))
