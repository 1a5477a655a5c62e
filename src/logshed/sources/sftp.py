"""SFTP, of which only reading is used: folders, what a path is, and files that are opened for nothing else."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from logshed.errors import GoneError, SourceError, UnreachableError
from logshed.sources.hosts import READ_BYTES, Limits, shown
from logshed.sources.ssh_keys import asyncssh_module

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from logshed.sources.ssh import SshHost

_T = TypeVar("_T")

OLD_READ_BYTES = 2**15
"""What a server gives at once that does not say how much."""
AHEAD = 8
"""Pieces that are asked for before the first has come."""


class Sftp:
    """What a host offers over SFTP, in one session that is begun when it is needed.

    Args:
        host: The host.
        limits: How long things may take.

    Attributes:
        works: Whether a session has been begun.
    """

    def __init__(self, host: SshHost, limits: Limits) -> None:
        self.works = False
        self._host = host
        self._limits = limits
        self._client: Any = None
        self._end: Callable[[], Awaitable[None]] | None = None
        self._beginning = asyncio.Lock()

    async def folder(self, path: str) -> list[tuple[bytes, Any]]:
        """Names in a folder and what they are.

        Raises:
            GoneError: There is no such folder.
            SourceError: It cannot be read.
        """
        async with self._doing(f"look into {path}") as client:
            found = [(bytes(one.filename), one.attrs) async for one in client.scandir(path.encode())]
        return [(name, attributes) for name, attributes in found if name not in (b".", b"..")]

    async def status(self, path: str) -> Any:
        """What a path is, or what the link under it leads to.

        Raises:
            GoneError: It leads to nothing.
            SourceError: It cannot be seen.
        """
        async with self._doing(f"look at {path}") as client:
            return await client.stat(path.encode())

    async def real(self, path: str) -> str:
        """A path without links."""
        async with self._doing(f"look at {path}") as client:
            return bytes(await client.realpath(path.encode())).decode("utf-8", "replace")

    @asynccontextmanager
    async def opened(self, path: str) -> AsyncIterator[SftpFile]:
        """A file, open for reading.

        Raises:
            GoneError: There is none.
            SourceError: It cannot be read.
        """
        async with self._doing(f"read {path}") as client:
            file = await self._soon(client.open(path.encode(), "rb", block_size=0))
            try:
                attributes = await self._soon(file.stat())
                step = min(client.limits.max_read_len or OLD_READ_BYTES, READ_BYTES)
                yield SftpFile(file, attributes, step, self._soon)
            finally:
                await asyncio.shield(self._let_go(file))

    async def close(self) -> None:
        """End the session."""
        end, self._client, self._end = self._end, None, None
        if end is not None:
            await end()

    async def _let_go(self, file: Any) -> None:
        try:
            await asyncio.wait_for(file.close(), self._limits.silence)
        except (asyncssh_module().Error, OSError, TimeoutError):
            return  # it goes with the session

    async def _soon(self, doing: Awaitable[_T]) -> _T:
        return await asyncio.wait_for(doing, self._limits.silence)

    async def _session(self) -> Any:
        async with self._beginning:
            if self._client is None:
                self._client, self._end = await self._host.sftp()
                self.works = True
            return self._client

    @asynccontextmanager
    async def _doing(self, what: str) -> AsyncIterator[Any]:
        """The session, with what goes wrong in it as errors of ours."""
        asyncssh, what = asyncssh_module(), f"{what} on {self._host.name}"
        client = await self._session()
        try:
            yield client
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise GoneError(f"cannot {what}: there is none; check the path") from None
        except asyncssh.SFTPPermissionDenied:
            raise SourceError(f"cannot {what}: permission denied; let the user read it") from None
        except TimeoutError:
            await self._broke(client)
            raise UnreachableError(
                f"cannot {what}: it is silent for {self._limits.silence:g} s; look at the network and the host"
            ) from None
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
            await self._broke(client)
            raise self._host.cut() from None
        except asyncssh.SFTPError as error:
            raise SourceError(
                f"cannot {what}: {shown(str(error.reason).encode()) or 'it fails'}; try it with sftp"
            ) from None
        except (asyncssh.Error, OSError):
            await self._broke(client)
            raise self._host.cut() from None

    async def _broke(self, client: Any) -> None:
        """Begin another session the next time."""
        if client is self._client:
            await self.close()


class SftpFile:
    """A file that is open for reading.

    Attributes:
        size: Its bytes when it was opened.
        changed: When it was last written then.
    """

    def __init__(
        self, file: Any, attributes: Any, step: int, soon: Callable[[Awaitable[bytes]], Awaitable[bytes]]
    ) -> None:
        self.size = int(attributes.size or 0)
        self.changed = int(attributes.mtime or 0)
        self._file = file
        self._step = step
        self._soon = soon

    async def read(self, start: int, size: int) -> bytes:
        """Some of its bytes; fewer where it ends before."""
        found = b""
        while len(found) < size and (piece := await self._soon(self._file.read(size - len(found), start + len(found)))):
            found += piece
        return found

    async def blocks(self, start: int) -> AsyncIterator[bytes]:
        """Its bytes from an offset to the end as it was when it was opened, in order and without a gap."""
        asked: deque[tuple[int, asyncio.Future[bytes]]] = deque()
        position = following = start
        try:
            while position < self.size:
                while len(asked) < AHEAD and following < self.size:
                    size = min(self._step, self.size - following)
                    asked.append((size, asyncio.ensure_future(self._file.read(size, following))))
                    following += size
                size, coming = asked.popleft()
                data = await self._soon(coming)
                if not data:
                    return  # it was truncated
                yield data
                position += len(data)
                if len(data) < size:  # what was asked for behind it lies behind a gap
                    await asyncio.gather(*(one for _, one in asked), return_exceptions=True)
                    asked.clear()
                    self._step, following = len(data), position
        finally:
            for _, one in asked:
                one.cancel()
            await asyncio.gather(*(one for _, one in asked), return_exceptions=True)
