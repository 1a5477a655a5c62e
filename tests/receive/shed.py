"""A receiver, what empties its spool, and the lake, as processes that tests kill and start again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.ports import free_port
from tests.receive.kept import Found
from tests.receive.promises import NUMBERED

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.started import Process, Starter

ROOT = Path(__file__).parents[2]
DOORS = ("http", "grpc", "syslog_tcp", "forward")
QUERY = f"""
SELECT regexp_extract(text, '{NUMBERED}') FROM lines WHERE regexp_matches(text, '{NUMBERED}')
ORDER BY "source", "generation", "offset"
"""
START_S = 120


class Shed:
    """A receiver, an ingest and a lake.

    Args:
        starter: What starts them.
        folder: Where they work.
        environment: Theirs.
    """

    def __init__(self, starter: Starter, folder: Path, environment: Mapping[str, str]) -> None:
        self._starter, self._folder = starter, folder
        self._environment = {**environment, "HOME": str(folder)}
        self.told = folder / "told"
        self.ports = {door: free_port() for door in DOORS}
        self.receiver: Process | None = None
        self.put_spool(folder / "logshed-spool", "2MB")

    def put_spool(self, folder: Path, limit: str) -> None:
        """Have the spool in a folder, and let it take so much."""
        self.spool = folder
        doors = "".join(f'[receive.{name}]\nlisten = "127.0.0.1:{port}"\n' for name, port in self.ports.items())
        (self._folder / "logshed.toml").write_text(
            f'spool = "{folder}"\nspool_bytes = "{limit}"\nworkers = 1\n[receive]\nevery = "1s"\n{doors}'
        )

    def receive(self, step: str = "", times: int = 1, *, into_lake: bool = True) -> Process:
        """Start the receiver; it may be killed before its doors are open."""
        words = ["receive", "--json", "--into-lake" if into_lake else "--no-lake"]
        self.receiver = self.start(words, step, times)
        return self.receiver

    def ingest(self, step: str = "", times: int = 1) -> Process:
        """Start an ingest of the spool."""
        return self.start(["ingest", f"spool:{self.spool}"], step, times)

    def start(self, words: list[str], step: str = "", times: int = 1) -> Process:
        """Start Logshed, to be killed at a step."""
        with self.told.open("ab") as told, Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), told.fileno(), told.fileno()]
            given = [str(self._folder), step, str(times), *words]
            return self._starter.start(given, ROOT, self._environment, files, module="tests.receive.killed")

    def run(self, *words: str) -> tuple[int, str]:
        """Run Logshed to its end: its exit code and what it told."""
        begun = self.told.stat().st_size
        code = self.start(list(words)).wait(START_S)
        return code, self.told.read_text()[begun:]

    def wait_open(self) -> None:
        """Wait until the doors of the receiver are open.

        Raises:
            AssertionError: It has ended.
        """
        assert self.receiver is not None
        until = time.monotonic() + START_S
        while True:
            if all(_is_open(port) for port in self.ports.values()):
                return
            assert self.receiver.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.05)

    def stop(self) -> None:
        """End the receiver as an operator does."""
        assert self.receiver is not None
        self.receiver.terminate()
        assert self.receiver.wait(60) == 0, self.said()

    def said(self) -> str:
        """The end of what all processes told."""
        return self.told.read_text()[-4000:]

    def found(self) -> Found:
        """What is in the lake, whose own check finds nothing wrong."""
        lake = Lake.open(self._folder / "logshed-lake", settings=Settings.load(self._folder, environ={}))
        audit = lake.audit().as_dict()
        assert audit["ok"], json.dumps(audit)[:2000]
        return Found([str(row[0]) for row in lake.query(QUERY).rows()])


def killed(process: Process, step: str, seconds: float) -> str:
    """Where a process was killed: at its step, or by us after some time; empty if it has come to its own end.

    Args:
        process: The process.
        step: Its step; none where it has none.
        seconds: The time.
    """
    try:
        return step if process.wait(seconds) == -signal.SIGKILL else ""
    except subprocess.TimeoutExpired:
        process.kill()
        return "random" if process.wait(START_S) == -signal.SIGKILL else ""


def _is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
