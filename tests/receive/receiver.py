"""A real ``logshed receive``: its folder, its doors, tokens for it, and what it says at its end."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Any

from logshed.access import Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.started import Process, Starter

SECONDS = 120


class Receiver:
    """One receiver, in a process of its own.

    Args:
        folder: Its working folder, with the lake and the spool.
        starter: Starts it.
        environment: Of the process.
        settings: Its logshed.toml.
    """

    def __init__(self, folder: Path, starter: Starter, environment: Mapping[str, str], settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.lake, self.spool, self.errors = (folder / name for name in ("logshed-lake", "logshed-spool", "errors"))
        self.report: dict[str, Any] = {}
        self._starter, self._environment = starter, environment
        (folder / "logshed.toml").write_text(settings)
        self._tokens = Tokens(folder / "logshed-tokens.db")
        self.secrets: dict[str, str] = {}
        self._process: Process | None = None
        self._said = -1
        self._addresses: dict[str, list[str]] = {}

    def start(self) -> None:
        """Start it, and wait until its doors are open."""
        self._said, said = os.pipe()
        files = [os.open(os.devnull, os.O_RDONLY), said, os.open(self.errors, os.O_WRONLY | os.O_APPEND | os.O_CREAT)]
        self._process = self._starter.start(["receive", "--json"], self.folder, self._environment, files)
        for file in files:
            os.close(file)
        self._addresses = self._line()["addresses"]

    def stop(self) -> dict[str, Any]:
        """Ask it to end, as systemd and Kubernetes do, and give what it says at its end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self.report = self._line()
        assert self._process.wait(SECONDS) == 0, self.errors.read_text()
        self._over()
        return self.report

    def kill(self) -> None:
        """End it as a crash does, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)
            self._over()

    def _over(self) -> None:
        os.close(self._said)
        self._process = None

    def _line(self) -> dict[str, Any]:
        """The next line that it prints."""
        line, end = b"", time.monotonic() + SECONDS
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._said], [], [], max(0, end - time.monotonic()))
            some = os.read(self._said, 2**16) if ready else b""
            assert some, f"it says nothing: {self.errors.read_text()}"
            line += some
        found: dict[str, Any] = json.loads(line)
        return found

    def at(self, door: str) -> str:
        """Host and port of a door."""
        return self._addresses[door][0]

    def port(self, door: str) -> int:
        """Port of a door."""
        return int(self.at(door).rpartition(":")[2])

    def url(self, path: str = "") -> str:
        """Address over HTTP."""
        return f"http://{self.at('http')}{path}"

    def token(self, collection: str, *verbs: str) -> str:
        """A token for one collection; the same one where it was asked for already."""
        key = " ".join((collection, *verbs))
        if key not in self.secrets:
            self.secrets[key] = self._tokens.create([collection], verbs or ("write",))[0]
        return self.secrets[key]

    def token_by_command(self, collection: str) -> str:
        """A token as the owner of a receiver makes it."""
        words = ["token", "create", "--collection", collection, "--verb", "write"]
        done = self._starter.run(words, self.folder, self._environment, b"", SECONDS)
        self.secrets[collection] = done.stdout.decode().strip()
        return self.secrets[collection]

    def rests(self) -> bytes:
        """All that lies in the spool."""
        return b"".join(path.read_bytes() for path in sorted(self.spool.rglob("*")) if path.is_file())

    def until(self, *texts: str) -> None:
        """Wait until the spool holds some texts."""
        end = time.monotonic() + SECONDS
        while missing := [text for text in texts if text.encode() not in self.rests()]:
            assert time.monotonic() < end, f"never came: {missing}"
            time.sleep(0.1)
