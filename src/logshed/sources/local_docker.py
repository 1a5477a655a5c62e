"""Docker of this machine: its ``docker`` program, with the same grammar as over SSH."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from logshed.errors import SourceError
from logshed.sources import commands

if TYPE_CHECKING:
    from logshed.sources.commands import Argv
    from logshed.sources.hosts import Reader

_KEPT = ("PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG")
_END_S = 3.0


class LocalDocker:
    """A Docker of this machine.

    Args:
        engine: ``local`` (as the program finds it), ``unix:///path`` or ``context:NAME``.
        name: What to call it.
    """

    def __init__(self, engine: str, name: str = "") -> None:
        self.address = socket.gethostname()
        self.name = name or (self.address if engine == "local" else f"{self.address}/{engine.rpartition(':')[2]}")
        kind, _, value = engine.partition(":")
        self._environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
        if kind == "unix":
            self._environment["DOCKER_HOST"] = engine
        elif kind == "context":
            self._environment["DOCKER_CONTEXT"] = value

    async def start(self, argv: Argv) -> LocalRunning:
        """Start an allowed command.

        Raises:
            UsageError: It is not allowed.
            SourceError: There is no program of that name.
        """
        allowed = commands.check(argv)
        try:
            process = await asyncio.create_subprocess_exec(
                *allowed,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for us: what came first comes to rest
                limit=2**20,
            )
        except OSError as error:
            raise SourceError(
                f"cannot run {allowed[0]}: {error.strerror}; install Docker's program, or put it on the PATH"
            ) from None
        return LocalRunning(process)

    async def close(self) -> None:
        """Nothing is held."""


class LocalRunning:
    """A command of this machine."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        if process.stdout is None or process.stderr is None:
            raise AssertionError(process)
        self.stdout: Reader = process.stdout
        self.stderr: Reader = process.stderr

    async def ended(self) -> int:
        """Its exit status."""
        return await self._process.wait()

    async def end(self) -> None:
        """End it, unless it has."""
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _END_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
